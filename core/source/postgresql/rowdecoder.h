#pragma once
#include "core/data/batch.h"
#include "core/engine/plan.h"
#include "core/source/postgresql/nested.h"
#include "core/source/postgresql/shape.h"
#include <optional>

namespace millrace::postgresql {

//! Turns one tuple of COPY BINARY into cells of a batch: one copy of the tuple into the batch's arena, texts point into it, numbers are
//! read in place; nothing is allocated per cell. Format: PostgreSQL manual, COPY, "Binary Format". All slots are added before the first
//! row.
class RowDecoder {
public:
    //! A column of the plan, with the policy for values that cannot be carried.
    void addColumn(const Column& column, const ShapeColumn& shape, ValuePolicy policy, std::uint32_t index);
    std::size_t addFlag();                         //!< an expression that is a boolean
    std::size_t addRaw(const ShapeColumn& shape);  //!< a value that only goes back as a bound
    void useTypes(std::shared_ptr<TypeTree> types);

    //! Takes the next tuple; it must live until the next call. False: the bytes are no tuple of this shape.
    bool take(const char* tuple, std::size_t size);
    //! Appends the tuple taken. A row that cannot be carried is rejected in the batch, its key filled as far as it can be.
    void decode(Batch& into, Op op);
    bool flag(std::size_t slot) const { return m_fields[slot].size == 1 && *m_fields[slot].p != 0; }
    //! The value as SQL text, to go back as a bound. nullopt: NULL.
    std::optional<std::string> raw(std::size_t slot) const;
    //! The bytes of the key, to see whether two rows have the same one.
    void appendKeyBytes(std::string& out) const;

private:
    struct Slot {
        Wire wire = Wire::Text;
        Type out = Type::Text;
        ValuePolicy policy = ValuePolicy::Null;
        std::uint8_t digits = 0;
        bool ofPlan = false, key = false;
        std::uint32_t index = 0, tree = 0;
        int modifier = -1;
        std::string name;
    };
    struct Field { const char* p = nullptr; std::int32_t size = -1; };
    struct Problem { const Slot* slot = nullptr; const char* id = nullptr; std::string words; };

    Cell cell(const Slot& slot, const Field& field, Batch& into, Problem& problem);
    Cell temporal(const Slot& slot, const Field& field, Batch& into, Problem& problem);
    Cell number(const Slot& slot, Cell value, Batch& into) const;
    Cell words(const Slot& slot, const Field& field, Batch& into, Problem& problem);
    static std::string fixFor(const Slot& slot);
    std::vector<Slot> m_slots;
    std::vector<Field> m_fields;
    std::shared_ptr<TypeTree> m_types = std::make_shared<TypeTree>();
    std::unique_ptr<Nested> m_nested = std::make_unique<Nested>(*m_types);
    const char *m_tuple = nullptr, *m_copy = nullptr;      //!< as received; in the batch's arena
    std::size_t m_size = 0;
    std::string m_scratch;
};

//! The digits of a numeric in binary form, "NaN", "Infinity" or "-Infinity". False: the bytes are no numeric.
bool appendNumeric(std::string& out, const char* bytes, std::size_t size);
void appendUuid(std::string& out, const char* bytes);

} // namespace millrace::postgresql
