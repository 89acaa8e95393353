#include "core/target/redis/readback.h"
#include "core/engine/jsonform.h"
#include "core/target/redis/faults.h"
#include "core/target/redis/hashform.h"
#include <algorithm>

namespace millrace::redis {

namespace {
constexpr std::size_t keysAtOnce = 500;
}

RedisReader::RedisReader(std::unique_ptr<Link> link, TablePlanPtr plan, std::vector<std::string> keys)
    : m_link(std::move(link)), m_plan(std::move(plan)), m_byKeys(!keys.empty()), m_keys(std::move(keys)), m_prefix(*m_link, m_plan->container) {}

Result<ReadState> RedisReader::read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop)
{
    for (std::size_t n = 0; n < maxDocuments;) {
        if (stop.stop_requested())
            return cancelled("Reading back " + m_plan->container);
        if (!m_ready.empty()) {
            into.push_back(std::move(m_ready.front()));
            m_ready.pop_front();
            ++n;
            continue;
        }
        if (m_fetched)
            return ReadState::End;
        auto more = fetch(stop);
        if (!more)
            return more.error();
        m_fetched = !*more;
    }
    return ReadState::More;
}

Result<bool> RedisReader::fetch(std::stop_token stop)
{
    std::vector<std::string> documents;
    bool more = true;
    if (m_byKeys) {
        for (; m_nextKey < m_keys.size() && documents.size() < keysAtOnce; ++m_nextKey)
            documents.push_back(documentKey(m_plan->container, m_keys[m_nextKey]));
        more = m_nextKey < m_keys.size();
    } else {
        std::vector<std::string> found;
        auto next = m_prefix.next(found, stop);
        if (!next)
            return next.error();
        more = *next;
        for (std::string& document : found)
            if (m_seen.insert(std::hash<std::string_view>()(document)).second)
                documents.push_back(std::move(document));
    }
    if (auto loaded = load(documents, stop); !loaded)
        return loaded.error();
    return more;
}

Result<> RedisReader::load(const std::vector<std::string>& documents, std::stop_token stop)
{
    Commands commands;
    for (const std::string& document : documents) {
        const std::string companion = companionKey(document);
        const int slot = m_link->slot(document);
        commands.add(slot, {m_plan->hash ? "HGETALL" : "GET", document});
        commands.add(slot, {"GET", companion});
    }
    auto replies = m_link->run(commands, stop);
    if (!replies)
        return replies.error();
    for (std::size_t i = 0; i < documents.size(); ++i) {
        const redisReply* value = (*replies)[2 * i].get(), *companion = (*replies)[2 * i + 1].get();
        for (const redisReply* reply : {value, companion})
            if (isError(reply) && errorCode(text(reply)) != "WRONGTYPE")
                return faultOf(text(reply), *m_link->deployment(), "reading back " + m_plan->container);
        if (isNil(value) || (value->type == REDIS_REPLY_ARRAY && value->elements == 0))
            continue;                              // gone by now, or not there
        m_ready.push_back(made(documents[i], value, companion));
    }
    return {};
}

ReadBack RedisReader::made(const std::string& document, const redisReply* value, const redisReply* companion) const
{
    ReadBack out;
    out.key = document.substr(m_plan->container.size() + 1);
    const std::string_view version = text(companion);
    out.ours = companion->type == REDIS_REPLY_STRING && !version.empty() && version.find_first_not_of("0123456789") == std::string_view::npos;
    if (isError(value))
        out.form = std::string(m_plan->hash ? "not a hash" : "not a string") + "\x1f\x1e";
    else if (value->type == REDIS_REPLY_ARRAY)
        appendHashForm(out.form, *m_plan->schema, value);
    else if (!appendDocumentForm(out.form, text(value)))
        out.form = "not a JSON object\x1f" + std::string(text(value));
    return out;
}

} // namespace millrace::redis
