#include "app/gui/demoactions.h"
#include "app/cli/demo.h"
#include "core/config/envimport.h"
#include "core/config/syncfile.h"
#include "core/demo/shop.h"
#include <filesystem>
#include <memory>

namespace millrace::gui {

namespace fs = std::filesystem;

namespace {

// What the functions of one window share: the run that `prove` waits for, and how many orders were changed so far.
struct Demo {
    Engine& engine;
    std::string home, shop;
    RunId run = 0;
    std::uint64_t changed = 0;
};

Result<> create(Demo& demo)
{
    std::error_code failed;
    fs::create_directories(fs::path(demo.shop).parent_path(), failed);
    if (failed)
        return Error{Fault::Storage, "demo.folder", demo.shop + ": " + failed.message() + ".", "Free some space there, or start with another --home.", {}};
    if (!fs::exists(demo.shop, failed))
        if (auto made = makeShopSqlite(demo.shop); !made)
            return made;
    if (auto applied = demo.engine.apply(cli::demoFile(demo.home), {}, false); !applied)
        return applied.error();
    RunRequest request;
    request.sync = "demo";
    request.trigger = "window";
    auto started = demo.engine.start(request);
    if (!started)
        return started.error();
    demo.run = *started;
    return {};
}

Result<VerifyReport> prove(Demo& demo, std::stop_token stop)
{
    // a closed window must not wait for the rest of the load
    std::stop_callback end(stop, [&] { demo.engine.stop("demo"); });
    auto ended = demo.engine.wait(demo.run);
    if (!ended)
        return ended.error();
    if (ended->error)
        return *ended->error;
    for (const TableReport& table : ended->tables)
        if (table.error)
            return *table.error;
    return demo.engine.verify("demo", {}, stop);
}

Result<> remove(Demo& demo)
{
    demo.engine.stop("demo");
    if (demo.run != 0)
        (void)demo.engine.wait(demo.run).has_value();             // a run that is over answers at once
    if (auto gone = demo.engine.removeSync("demo", true); !gone)
        return gone;
    for (const char* name : {"demo-shop", "demo-store"})
        if (auto gone = demo.engine.removeConnection(name); !gone)
            return gone;
    std::error_code failed;
    fs::remove_all(fs::path(demo.shop).parent_path(), failed);
    if (failed)
        return Error{Fault::Storage, "demo.folder", fs::path(demo.shop).parent_path().string() + ": " + failed.message() + ".", "Remove the folder by hand.", {}};
    return {};
}

} // namespace

ui::DemoActions demoActions(Engine& engine, const std::string& home)
{
    auto demo = std::make_shared<Demo>(Demo{engine, home, cli::demoShopPath(home), 0, 0});
    ui::DemoActions actions;
    actions.create = [demo](std::stop_token) { return create(*demo); };
    actions.prove = [demo](std::stop_token stop) { return prove(*demo, stop); };
    actions.changeRow = [demo]() -> Result<std::string> {
        auto row = changeRow(demo->shop, ++demo->changed);
        return row ? Result<std::string>("Changed in the shop: " + *row + ". The next run carries it over.") : std::move(row);
    };
    actions.breakRow = [demo]() -> Result<std::string> {
        auto row = breakRow(demo->shop);
        return row ? Result<std::string>("Broke in the shop: " + row->table + " " + row->key + ". It will be parked, the rest goes on.") : Result<std::string>(row.error());
    };
    actions.mendRow = [demo]() -> Result<std::string> {
        auto row = mendRow(demo->shop);
        return row ? Result<std::string>("Mended in the shop and tried again: " + row->table + " " + row->key + ".") : Result<std::string>(row.error());
    };
    actions.remove = [demo] { return remove(*demo); };
    return actions;
}

ui::FileReader fileReader()
{
    return [](const std::string& path, std::map<std::string, Secret>& typed) -> Result<SyncFile> {
        std::map<std::string, std::string> secrets;
        SyncFile file;
        const std::string name = fs::path(path).filename().string();
        if (name.ends_with(".env") || name.starts_with(".env")) {
            auto words = readTextFile(path);
            if (!words)
                return words.error();
            auto imported = importEnv(*words);
            if (!imported)
                return imported.error();
            file = std::move(imported->file);
            secrets = std::move(imported->typedSecrets);
        } else {
            auto read = readSyncFile(path, &secrets);
            if (!read)
                return read.error();
            file = std::move(*read);
        }
        for (auto& [key, value] : secrets)
            typed.emplace(key, Secret(std::move(value)));
        return file;
    };
}

} // namespace millrace::gui
