#include <QtTest>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

//! The room of a file, by its path from the source folder: "base", "source/mysql", "ui", "app". Empty: none.
std::string roomOf(const std::string& path)
{
    const auto part = [&](std::size_t n) {
        std::size_t from = 0;
        for (; n > 0 && from != std::string::npos; --n) from = path.find('/', from) == std::string::npos ? std::string::npos : path.find('/', from) + 1;
        return from == std::string::npos ? std::string() : path.substr(from, path.find('/', from) - from);
    };
    if (part(0) == "ui" || part(0) == "app") return part(0);
    if (part(0) != "core") return {};
    return part(1) == "source" || part(1) == "target" ? part(1) + "/" + part(2) : part(1);
}

//! architecture.md, "Allowed arrows": base <- data <- engine <- { leaves } <- app; engine <- ui <- app.
bool mayInclude(const std::string& from, const std::string& to)
{
    static const std::vector<std::string> stairs{"base", "data", "engine"};
    const auto step = [](const std::string& room) { return std::find(stairs.begin(), stairs.end(), room) - stairs.begin(); };
    if (from == to || from == "app") return true;
    return step(to) < 3 && step(to) < step(from);                // a leaf and ui stand above all three
}

bool qtFree(const std::string& room)
{
    static const std::set<std::string> rooms{"base", "data", "engine", "verify", "demo", "transform"};
    return rooms.contains(room) || room.starts_with("source/") || room.starts_with("target/");
}

//! Why `header`, written with quotes or brackets, must not stand in `file`; nothing when it may.
std::optional<std::string> refused(const std::string& file, const std::string& header, bool quoted)
{
    const std::string room = roomOf(file);
    if (quoted) {
        if (header.ends_with(".moc")) return std::nullopt;
        const std::string other = roomOf(header);
        if (other.empty()) return "a header of the house is named by its path from the source folder";
        if (!mayInclude(room, other)) return room + " must not see " + other;
        const bool connector = other.starts_with("source/") || other.starts_with("target/");
        if (room == "app" && connector && !file.starts_with("app/wiring/")) return "app/wiring alone names connectors";
        return std::nullopt;
    }
    static const std::regex qt("Q[A-Z].*|Qt[A-Z0-9].*|qt[a-z0-9]+/.*|q[a-z]+\\.h"), window("Qt(Widgets|Gui|Charts|Svg).*|Q(Application|GuiApplication|Widget|Dialog|MainWindow|Painter|Icon|Pixmap|Image|Color|Font|Window|Action|Label).*");
    if (qtFree(room) && std::regex_match(header, qt)) return room + " is free of Qt";
    if (file.starts_with("core/") && std::regex_match(header, window)) return "core never links Qt Widgets or Gui";
    return std::nullopt;
}

} // namespace

class TestArrows : public QObject {
    Q_OBJECT
private slots:
    void rules_data();
    void rules();
    void everyInclude();
};

void TestArrows::rules_data()
{
    QTest::addColumn<QByteArray>("file");
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<bool>("quoted");
    QTest::addColumn<bool>("allowed");
    const auto row = [](const char* file, const char* header, bool quoted, bool allowed) { QTest::addRow("%s -> %s", file, header) << QByteArray(file) << QByteArray(header) << quoted << allowed; };
    row("core/base/a.cpp", "core/base/b.h", true, true);
    row("core/base/a.cpp", "core/data/b.h", true, false);
    row("core/data/a.cpp", "core/base/b.h", true, true);
    row("core/data/a.cpp", "core/engine/b.h", true, false);
    row("core/engine/a.cpp", "core/data/b.h", true, true);
    row("core/engine/a.cpp", "core/store/b.h", true, false);
    row("core/source/mysql/a.cpp", "core/engine/b.h", true, true);
    row("core/source/mysql/a.cpp", "core/source/sqlite/b.h", true, false);
    row("core/source/mysql/a.cpp", "core/target/null/b.h", true, false);
    row("core/verify/a.cpp", "core/source/sqlite/b.h", true, false);
    row("core/store/a.cpp", "core/secrets/b.h", true, false);
    row("core/store/a.cpp", "ui/shell/b.h", true, false);
    row("ui/shell/a.cpp", "core/engine/b.h", true, true);
    row("ui/shell/a.cpp", "ui/charts/b.h", true, true);
    row("ui/shell/a.cpp", "core/source/sqlite/b.h", true, false);
    row("ui/shell/a.cpp", "core/store/b.h", true, false);
    row("ui/shell/a.cpp", "app/cli/b.h", true, false);
    row("app/cli/a.cpp", "core/store/b.h", true, true);
    row("app/cli/a.cpp", "core/source/sqlite/b.h", true, false);
    row("app/wiring/a.cpp", "core/source/sqlite/b.h", true, true);
    row("core/base/a.cpp", "b.h", true, false);
    row("ui/shell/a.cpp", "a.moc", true, true);
    row("core/engine/a.h", "QString", false, false);
    row("core/engine/a.h", "QtCore/QString", false, false);
    row("core/engine/a.h", "QtSql", false, false);
    row("core/verify/a.h", "qglobal.h", false, false);
    row("core/target/mongodb/a.h", "mongoc/mongoc.h", false, true);
    row("core/engine/a.h", "queue", false, true);
    row("core/store/a.h", "QString", false, true);
    row("core/store/a.h", "QWidget", false, false);
    row("core/secrets/a.h", "QtGui/QIcon", false, false);
    row("ui/shell/a.h", "QWidget", false, true);
}

void TestArrows::rules()
{
    QFETCH(QByteArray, file);
    QFETCH(QByteArray, header);
    QFETCH(bool, quoted);
    QFETCH(bool, allowed);
    QCOMPARE(!refused(file.toStdString(), header.toStdString(), quoted), allowed);
}

void TestArrows::everyInclude()
{
    namespace fs = std::filesystem;
    const fs::path root = MILLRACE_SOURCE_DIR;
    static const std::regex include(R"(^\s*#\s*include\s*(["<])([^">]+)[">].*)");
    std::size_t files = 0, includes = 0;
    std::string wrong;
    for (const char* top : {"core", "ui", "app"})
        for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
            const auto ending = entry.path().extension();
            if (!entry.is_regular_file() || (ending != ".h" && ending != ".cpp"))
                continue;
            ++files;
            const std::string file = fs::relative(entry.path(), root).generic_string();
            std::ifstream in(entry.path());
            std::string line;
            for (int number = 1; std::getline(in, line); ++number) {
                std::smatch found;
                if (line.find("include") == std::string::npos || !std::regex_match(line, found, include))
                    continue;
                ++includes;
                if (const auto why = refused(file, found[2], found[1] == "\""))
                    wrong += file + ":" + std::to_string(number) + ": " + found[2].str() + ": " + *why + "\n";
            }
        }
    QVERIFY2(wrong.empty(), wrong.c_str());
    QVERIFY2(files > 50 && includes > 200, "the scan did not find the house");
}

QTEST_APPLESS_MAIN(TestArrows)
#include "tst_arrows.moc"
