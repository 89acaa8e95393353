#pragma once
#include "core/engine/target.h"
#include "tests/support/sourcecontract.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace millrace::test {

//! A document as a client sees it that shares nothing with the target under test.
struct RawDocument {
    std::string key;                               //!< the key text
    std::string text;                              //!< the whole document, rendered the same way every time; without version and mark
    bool operator==(const RawDocument&) const = default;
    auto operator<=>(const RawDocument&) const = default;
};

//! What the suite needs to know of a store. A container made by one check is never used by another.
class TargetFixture {
public:
    virtual ~TargetFixture() = default;
    virtual Result<std::unique_ptr<Target>> open() = 0;                            //!< a new Target on the fixture's store
    virtual bool exists(const std::string& container) = 0;
    virtual std::vector<RawDocument> documents(const std::string& container) = 0;  //!< by an independent client, sorted by key; none when it does not exist
    //! By an independent client: makes the container if need be and puts a document without our mark into it.
    virtual void putForeign(const std::string& container, const std::string& key) = 0;
    virtual void remove(const std::string& container) = 0;                         //!< container and what the target remembers of it
    virtual void ageLease(const std::string& sync, std::int64_t seconds) = 0;      //!< makes the last heartbeat that much older

    //! A document with one text of this many bytes is above what the store carries; 0: no such limit, or too large to test.
    virtual std::size_t tooLarge() const { return 0; }
    //! Makes the store itself refuse to write this key into the container from now on; false: it cannot.
    virtual bool refuseKey(const std::string& container, const std::string& key) { (void)container; (void)key; return false; }
};

struct TargetCheck {
    std::string name;                              //!< "types_matrix", "older_never_wins", ...
    std::function<CheckResult(TargetFixture&)> run;
};

//! All checks that any Target must pass. A test program runs them as data rows:
//!   for (const auto& check : targetChecks()) QTest::newRow(check.name.c_str());
//! A WriteReport must account for every item: written + deleted + superseded + rejected == items. A delete of a key that is not
//! there counts as deleted; keys of keyless rows are their ordinals (version & (2^40 - 1)) as decimal text.
const std::vector<TargetCheck>& targetChecks();

//! The schema of the types matrix (one column per canonical type, `id` the key) and its rows; also good for tests of encoders.
SchemaPtr matrixSchema();
void fillMatrix(Batch& batch);

} // namespace millrace::test
