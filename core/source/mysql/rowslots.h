#pragma once
#include "core/data/batch.h"
#include "core/engine/plan.h"
#include "core/source/mysql/nativetype.h"
#include <mysql.h>
#include <optional>
#include <vector>

namespace millrace::mysql {

//! Where the columns of a prepared statement's row land: natively bound, one slot per column of the result. Decodes a row into cells
//! without allocating but in the batch's arena. All slots are added before the first bind.
class RowSlots {
public:
    //! A column of the plan, with the policy for values that cannot be carried.
    void addColumn(const Column& column, ValuePolicy policy, std::uint32_t index, bool view);
    std::size_t addInteger();                      //!< an expression that is a signed number; NULL reads as 0
    std::size_t addText();                         //!< an expression of up to 128 bytes of text

    //! Binds all slots; the result's columns must still be what the plan says (Fault::Schema, "source.mysql.table_altered").
    Result<> bind(MYSQL_STMT* statement, const std::string& table);

    //! Appends the row that was fetched. A row that cannot be carried is rejected in the batch, its key filled as far as it can be.
    void decode(MYSQL_STMT* statement, Batch& into, Op op);
    std::int64_t integer(std::size_t slot) const { return m_slots[slot].null ? 0 : m_slots[slot].i; }
    //! The value as the server gave it, to go back as a bound. nullopt: NULL. Bytes are not hexed here.
    std::optional<std::string> raw(std::size_t slot) const;

private:
    struct Slot {
        Wire wire = Wire::Characters;
        NativeType native;
        Type out = Type::Text;
        ValuePolicy policy = ValuePolicy::Null;
        std::uint8_t digits = 0;
        bool ofPlan = false, key = false, isUnsigned = false, zulu = false, view = false;
        std::uint32_t index = 0;                   //!< of the cell in the row
        std::string name;
        union { std::int64_t i; double d; float f; std::uint64_t u = 0; };
        MYSQL_TIME time {};
        unsigned long length = 0;
        my_bool null = 0, error = 0;
        std::vector<char> buffer;
    };
    struct Problem { const Slot* slot = nullptr; const char* id = nullptr; std::string words; };

    void add(Slot slot, std::size_t capacity);
    std::size_t inlineBytes() const;
    static std::string fixFor(const Slot& slot);
    Cell cell(Slot& slot, MYSQL_STMT* statement, std::size_t position, Batch& into, char*& arena, Problem& problem);
    Cell temporal(const Slot& slot, Batch& into, Problem& problem);
    Cell characters(const Slot& slot, std::string_view text, bool inArena, Batch& into, char*& arena, Problem& problem);
    Cell number(const Slot& slot, std::int64_t value, Batch& into, Problem& problem);
    std::vector<Slot> m_slots;
    std::string m_scratch;
};

//! A signed or unsigned 64-bit bound, a real, digits, text or bytes: how a bound is sent back, so that the database compares natively.
enum class BoundKind : std::uint8_t { Int, Uint, Real, Decimal, Text, Bytes };
BoundKind boundKind(const NativeType& type);

} // namespace millrace::mysql
