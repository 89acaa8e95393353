#pragma once
#include "core/data/value.h"
#include "core/demo/words.h"
#include <array>
#include <cstdint>
#include <string>

namespace millrace::shop {

//! Rows per table; together exactly what was asked for.
struct Counts {
    std::uint64_t customers, addresses, products, orders, lines, payments, reviews;
    static Counts of(std::uint64_t rows)
    {
        const auto share = [&](std::uint64_t percent) { return std::max<std::uint64_t>(1, rows * percent / 100); };
        Counts c{share(8), share(10), share(4), share(20), 0, share(12), share(6)};
        c.lines = rows - c.customers - c.addresses - c.products - c.orders - c.payments - c.reviews;
        return c;
    }
};

enum class Table : std::uint8_t { Customers, Addresses, Products, Orders, OrderLines, Payments, Reviews };
inline constexpr std::string_view tableNames[] = {"customers", "addresses", "products", "orders", "order_lines", "payments", "reviews"};

//! Random numbers of one row: by seed, table and row alone, so that any row can be made again without the ones before it.
//! SplitMix64 (S. Vigna, public domain).
class Dice {
public:
    Dice(std::uint64_t seed, Table table, std::uint64_t row) : m_state(mix(seed ^ mix(static_cast<std::uint64_t>(table) + 1) ^ mix(row * 0x9E3779B97F4A7C15ull))) {}
    std::uint64_t next() { return mix(m_state += 0x9E3779B97F4A7C15ull); }
    std::uint64_t below(std::uint64_t limit) { return next() % limit; }
    bool oneIn(std::uint64_t n) { return below(n) == 0; }
    template <class List> std::string_view pick(const List& list) { return list[below(std::size(list))]; }
private:
    static std::uint64_t mix(std::uint64_t z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    }
    std::uint64_t m_state;
};

//! Makes the shop's rows and hands each value to a writer: begin(Table), then per row integer(), text(), ... in column order and
//! endRow(), which is false when the database said no; end() after the last row of a table.
template <class Writer> class Generator {
public:
    Generator(Writer& writer, std::uint64_t rows, std::uint64_t seed) : m_writer(writer), m_counts(Counts::of(rows)), m_seed(seed) {}

    bool run()
    {
        return table(Table::Customers, m_counts.customers, [&](auto i) { customer(i); }) && table(Table::Addresses, m_counts.addresses, [&](auto i) { address(i); })
            && table(Table::Products, m_counts.products, [&](auto i) { product(i); }) && table(Table::Orders, m_counts.orders, [&](auto i) { order(i); })
            && lines() && table(Table::Payments, m_counts.payments, [&](auto i) { payment(i); }) && table(Table::Reviews, m_counts.reviews, [&](auto i) { review(i); });
    }

private:
    // 2023-01-01 to 2025-06-30, in seconds since 1970: always in the past.
    static constexpr std::int64_t firstSecond = 1'672'531'200, lastSecond = 1'751'241'600;

    template <class Row> bool table(Table which, std::uint64_t count, Row row)
    {
        if (!m_writer.begin(which))
            return false;
        for (std::uint64_t i = 1; i <= count; ++i) {
            row(i);
            if (!m_writer.endRow())
                return false;
        }
        return m_writer.end();
    }

    std::int64_t moment(Dice& dice, std::int64_t after = firstSecond) const { return after + static_cast<std::int64_t>(dice.below(static_cast<std::uint64_t>(lastSecond - after) + 1)); }

    void customer(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Customers, id);
        const People& who = people[dice.below(std::size(people))];
        m_text.assign(dice.pick(who.given)).append(" ").append(dice.pick(who.family));
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.text(m_text);
        m_text.assign("customer").append(std::to_string(id)).append("@").append(dice.oneIn(7) ? "münchen.example" : "example.org");
        m_writer.text(m_text);
        if (dice.oneIn(4)) m_writer.null();
        else m_writer.text("+" + std::to_string(30 + dice.below(60)) + " " + std::to_string(1'000'000 + dice.below(9'000'000)));
        if (dice.oneIn(9)) m_writer.null();
        else m_writer.date(static_cast<std::int64_t>(dice.below(22'000)) - 10'957);           // 1940 to 2000
        m_writer.decimal(static_cast<std::int64_t>(dice.below(20) * 50'000));
        m_writer.boolean(dice.oneIn(6));
        if (dice.oneIn(3)) m_writer.text(dice.pick(sentences));
        else m_writer.null();
        const auto created = moment(dice);
        m_writer.datetime(created);
        m_writer.datetime(moment(dice, created));
        m_writer.boolean(dice.oneIn(50));
    }

    void address(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Addresses, id);
        const People& where = people[dice.below(std::size(people))];
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.integer(static_cast<std::int64_t>(id <= m_counts.customers ? id : 1 + dice.below(m_counts.customers)));
        m_writer.text(dice.oneIn(3) ? "billing" : "shipping");
        m_text.assign(dice.pick(streets)).append(" ").append(std::to_string(1 + dice.below(250)));
        m_writer.text(m_text);
        m_writer.text(dice.pick(where.city));
        if (dice.oneIn(10)) m_writer.null();
        else m_writer.text(std::to_string(10'000 + dice.below(90'000)));
        m_writer.text(where.country);
        m_writer.real((static_cast<double>(dice.below(120'000'000)) - 60'000'000) / 1e6);
        m_writer.real((static_cast<double>(dice.below(360'000'000)) - 180'000'000) / 1e6);
        m_writer.datetime(moment(dice));
    }

    std::int64_t price(std::uint64_t product) const { return 99 + static_cast<std::int64_t>(Dice(m_seed ^ 1, Table::Products, product).below(50'000)); }

    void product(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Products, id);
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.text("SKU-" + std::to_string(100'000 + id));
        const std::string_view color = dice.pick(colors);
        m_text.assign(dice.pick(things)).append(" ").append(dice.pick(kinds));
        m_writer.text(m_text);
        if (dice.oneIn(5)) m_writer.null();
        else m_writer.text(dice.pick(sentences));
        m_writer.decimal(price(id));
        if (dice.oneIn(8)) m_writer.null();
        else m_writer.real(static_cast<double>(1 + dice.below(25'000)) / 1000);
        m_text.assign("{\"color\": \"").append(color).append("\", \"sizes\": [").append(std::to_string(1 + dice.below(9))).append(", ").append(std::to_string(10 + dice.below(90)));
        m_text.append("], \"waterproof\": ").append(dice.oneIn(2) ? "true" : "false").append(", \"rating\": ").append(std::to_string(dice.below(5))).append(".5, \"note\": null}");
        m_writer.json(m_text);
        m_writer.boolean(dice.oneIn(20));
        if (dice.oneIn(3)) m_writer.null();
        else {
            std::array<char, 12> thumbnail;
            for (char& byte : thumbnail) byte = static_cast<char>(dice.next());
            m_writer.bytes({thumbnail.data(), thumbnail.size()});
        }
        m_writer.datetime(moment(dice));
    }

    struct Line { std::uint64_t product; std::int64_t quantity, price, discount; };              // discount < 0: none
    Line line(std::uint64_t order, std::uint64_t number) const
    {
        Dice dice(m_seed, Table::OrderLines, order * 64 + number);
        Line out{};
        out.product = 1 + dice.below(m_counts.products);
        out.quantity = 1 + static_cast<std::int64_t>(dice.below(5));
        out.price = price(out.product);
        out.discount = dice.oneIn(5) ? static_cast<std::int64_t>(dice.below(30) * 100) : -1;
        return out;
    }
    //! First line's number among all lines; differs by one to three from order to order.
    std::uint64_t firstLine(std::uint64_t order) const
    {
        const std::uint64_t even = static_cast<std::uint64_t>(static_cast<unsigned __int128>(order - 1) * m_counts.lines / m_counts.orders);
        return order == 1 || order > m_counts.orders || m_counts.lines < 2 * m_counts.orders ? even : even + (Dice(m_seed ^ 2, Table::OrderLines, order).next() & 1);
    }
    std::uint64_t lineCount(std::uint64_t order) const { return firstLine(order + 1) - firstLine(order); }
    std::int64_t total(std::uint64_t order) const
    {
        std::int64_t sum = 0;
        for (std::uint64_t n = 1, count = lineCount(order); n <= count; ++n) {
            const Line l = line(order, n);
            sum += l.quantity * (l.price - (l.discount > 0 ? l.price * l.discount / 10'000 : 0));
        }
        return sum;
    }
    std::int64_t orderedAt(std::uint64_t order) const
    {
        const auto even = static_cast<std::int64_t>(static_cast<unsigned __int128>(order - 1) * static_cast<std::uint64_t>(lastSecond - firstSecond - 90 * 86'400) / m_counts.orders);
        return firstSecond + even;
    }

    void order(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Orders, id);
        const auto at = orderedAt(id);
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.integer(static_cast<std::int64_t>(1 + dice.below(m_counts.customers)));
        if (dice.oneIn(12)) m_writer.null();
        else m_writer.integer(static_cast<std::int64_t>(1 + dice.below(m_counts.addresses)));
        m_writer.text(dice.pick(statuses));
        m_writer.datetime(at);
        if (dice.oneIn(4)) m_writer.null();
        else m_writer.date(at / 86'400 + static_cast<std::int64_t>(dice.below(10)));
        m_writer.decimal(total(id));
        if (dice.oneIn(15)) m_writer.text("🎁 " + std::string(dice.pick(titles)));
        else m_writer.null();
        m_writer.datetime(at + static_cast<std::int64_t>(dice.below(80 * 86'400)));
    }

    bool lines()
    {
        if (!m_writer.begin(Table::OrderLines))
            return false;
        for (std::uint64_t order = 1; order <= m_counts.orders; ++order)
            for (std::uint64_t n = 1, count = lineCount(order); n <= count; ++n) {
                const Line l = line(order, n);
                m_writer.integer(static_cast<std::int64_t>(order));
                m_writer.integer(static_cast<std::int64_t>(n));
                m_writer.integer(static_cast<std::int64_t>(l.product));
                m_writer.integer(l.quantity);
                m_writer.decimal(l.price);
                if (l.discount < 0) m_writer.null();
                else m_writer.decimal(l.discount);
                m_writer.datetime(orderedAt(order) + static_cast<std::int64_t>(n));
                if (!m_writer.endRow())
                    return false;
            }
        return m_writer.end();
    }

    void payment(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Payments, id);
        const auto order = static_cast<std::uint64_t>(static_cast<unsigned __int128>(id - 1) * m_counts.orders / m_counts.payments) + 1;
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.integer(static_cast<std::int64_t>(order));
        m_writer.text(dice.pick(methods));
        m_writer.decimal(total(order));
        const auto at = orderedAt(order) + static_cast<std::int64_t>(dice.below(20 * 86'400));
        if (dice.oneIn(10)) m_writer.null();
        else m_writer.datetime(at);
        m_text.clear();
        const std::uint64_t high = dice.next(), low = dice.next();
        for (int i = 0; i < 32; ++i) {
            if (i == 8 || i == 12 || i == 16 || i == 20) m_text += '-';
            m_text += "0123456789abcdef"[(i < 16 ? high >> (60 - 4 * i) : low >> (124 - 4 * i)) & 15];
        }
        m_writer.text(m_text);
        m_writer.boolean(!dice.oneIn(8));
        m_writer.datetime(at);
    }

    void review(std::uint64_t id)
    {
        Dice dice(m_seed, Table::Reviews, id);
        m_writer.integer(static_cast<std::int64_t>(id));
        m_writer.integer(static_cast<std::int64_t>(1 + dice.below(m_counts.products)));
        m_writer.integer(static_cast<std::int64_t>(1 + dice.below(m_counts.customers)));
        m_writer.integer(static_cast<std::int64_t>(1 + dice.below(5)));
        m_writer.text(dice.pick(titles));
        if (dice.oneIn(7)) m_writer.null();
        else {
            m_text.clear();
            for (std::uint64_t n = 1 + dice.below(3); n > 0; --n) m_text.append(dice.pick(sentences)).append(n > 1 ? " " : "");
            m_writer.text(m_text);
        }
        const auto created = moment(dice);
        m_writer.datetime(created);
        m_writer.datetime(moment(dice, created));
    }

    Writer& m_writer;
    Counts m_counts;
    std::uint64_t m_seed;
    std::string m_text;
};

} // namespace millrace::shop
