#pragma once
#include "core/target/mongodb/registry.h"
#include <vector>

namespace millrace::mongodb {

//! Writes payloads of MongoEncoder in unordered bulks. Every item gets its own outcome: what the server does not account for makes the
//! whole payload fail, and writing it again is harmless.
class MongoSession final : public TargetSession {
public:
    //! `collection` may be the side container. `ownContainer`: all marked documents in it are this sync's.
    MongoSession(std::unique_ptr<Client> client, TablePlanPtr plan, Lease lease, std::string collection, bool insertOnly);
    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override;

private:
    using Indices = std::vector<std::uint32_t>;               // into payload.items
    Result<> insert(const Payload& payload, const Indices& items, WriteReport& report);
    //! Replaces what is there and not newer; the items that did not take come back, for upsert() to find out why.
    Result<> update(const Payload& payload, Indices& items, WriteReport& report);
    //! Of these items, those whose stored document does not carry exactly their version.
    Result<Indices> notLanded(const Payload& payload, const Indices& items);
    Result<> upsert(const Payload& payload, Indices items, WriteReport& report, std::stop_token stop);
    Result<> upsertOnce(const Payload& payload, const Indices& items, WriteReport& report, Indices& duplicates);
    Result<> remove(const Payload& payload, const Indices& items, WriteReport& report);
    //! What stands in the way of items refused with E11000: something newer (superseded), another sync's document (rejected), a document
    //! without a mark (replaced), or nothing any more (again).
    Result<> resolve(const Payload& payload, const Indices& duplicates, WriteReport& report, Indices& again);
    //! False: it has a mark by now, or is gone.
    Result<bool> replaceUnmarked(const Payload& payload, std::uint32_t item, WriteReport& report);
    Result<std::uint64_t> countPresent(const Payload& payload, const Indices& items);
    //! Reads a bulk reply: rejected rows into the report, refused keys into `duplicates`. `landed` is what the counters say went through.
    Result<> settle(bool ok, const bson_t* reply, const bson_error_t& error, const Payload& payload, const Indices& items, std::uint64_t landed,
                    bool partial, WriteReport& report, Indices& duplicates);
    bool ourKey(const bson_iter_t& writeError) const;
    void split(const Payload& payload, Indices& upserts, Indices& deletes, WriteReport& report) const;
    std::string doing() const;

    std::unique_ptr<Client> m_client;
    TablePlanPtr m_plan;
    Lease m_lease;
    std::string m_name;
    Collection m_collection;
    //! What the last payload met is tried first on the next: plain inserts are ten times, updates twice as fast as guarded upserts. All
    //! three end in the same documents, and what the fast ways do not settle goes through the upsert.
    enum class First : std::uint8_t { Insert, Update, Upsert } m_first;
    bool m_canUpdate;
    std::vector<char> m_scratch;
    struct View { bson_t bson; };                  // wrapped, because template arguments lose bson_t's alignment
    struct Pointer { const bson_t* document; };
    std::vector<View> m_views;
    std::vector<Pointer> m_documents;
};

} // namespace millrace::mongodb
