#include "core/engine/discovery.h"
#include <QTest>

using namespace millrace;

namespace {

ColumnInfo column(std::string name, Type type = Type::Int, bool nullable = false, bool autoUpdated = false)
{
    ColumnInfo c;
    c.name = std::move(name);
    c.type = type;
    c.nullable = nullable;
    c.autoUpdated = autoUpdated;
    return c;
}

TableInfo table(std::vector<ColumnInfo> columns, std::vector<std::string> primary = {"id"}, std::vector<IndexInfo> indexes = {})
{
    TableInfo t;
    t.ref = {"shop", "film"};
    t.columns = std::move(columns);
    t.primaryKey = std::move(primary);
    t.indexes = std::move(indexes);
    return t;
}

QStringList ids(const TableInfo& t)
{
    QStringList out;
    for (const Message& m : t.warnings)
        out << QString::fromStdString(m.id);
    return out;
}

} // namespace

class TestDiscovery : public QObject {
    Q_OBJECT
private slots:
    void recommends_data();
    void recommends();
    void choosesKey_data();
    void choosesKey();
    void cascadesAreNotCalledMoving();
    void saysEverythingOnce();
};

struct Case { TableInfo table; };
Q_DECLARE_METATYPE(Case)

void TestDiscovery::recommends_data()
{
    QTest::addColumn<Case>("input");
    QTest::addColumn<QString>("strategy");
    QTest::addColumn<QString>("cursor");
    QTest::addColumn<QString>("reason");
    QTest::addColumn<QStringList>("warnings");
    const auto row = [](const char* name, TableInfo t, const char* strategy, const char* cursor, const char* reason, QStringList warnings) {
        QTest::newRow(name) << Case {std::move(t)} << strategy << cursor << reason << warnings;
    };
    const IndexInfo onUpdated {"u", {"updated_at"}, false};
    row("indexed and moves", table({column("id"), column("updated_at", Type::Timestamp, false, true)}, {"id"}, {onUpdated}), "timestamp", "updated_at",
        "updated_at is indexed and always moves", {"deletes_invisible"});
    row("moves, no index", table({column("id"), column("last_update", Type::Timestamp, false, true)}), "timestamp", "last_update",
        "last_update always moves", {"cursor_without_index", "deletes_invisible"});
    row("by name, indexed", table({column("id"), column("updated_at", Type::DateTime, true)}, {"id"}, {onUpdated}), "timestamp", "updated_at",
        "updated_at is indexed; the application has to move it", {"cursor_nullable", "deletes_invisible"});
    row("auto-updated beats name", table({column("id"), column("updated_at", Type::DateTime), column("stamp", Type::Timestamp, false, true)}), "timestamp", "stamp",
        "stamp always moves", {"cursor_without_index", "deletes_invisible"});
    row("indexed beats order of names", table({column("id"), column("updated_at", Type::DateTime), column("mtime", Type::DateTime)}, {"id"}, {{"m", {"mtime", "id"}, false}}),
        "timestamp", "mtime", "mtime is indexed; the application has to move it", {"deletes_invisible"});
    row("second in an index is not indexed", table({column("id"), column("LastModified", Type::DateTime)}, {"id"}, {{"m", {"id", "LastModified"}, false}}), "timestamp",
        "LastModified", "LastModified looks like the time of the last change; the application has to move it", {"cursor_without_index", "deletes_invisible"});
    row("creation time is no cursor", table({column("id"), column("created_at", Type::Timestamp)}), "full", "", "no cursor column; all rows rebuild each time", {"no_cursor"});
    row("a number is no cursor by name", table({column("id"), column("updated_at", Type::Int)}), "full", "", "no cursor column; all rows rebuild each time", {"no_cursor"});
    row("a text is no cursor by name", table({column("id"), column("modified", Type::Text)}), "full", "", "no cursor column; all rows rebuild each time", {"no_cursor"});
    row("a number that the source moves", table({column("id"), column("version", Type::Uint, false, true)}), "timestamp", "version", "version always moves",
        {"cursor_without_index", "deletes_invisible"});
    row("a date is no cursor", table({column("id"), column("updated_at", Type::Date)}), "full", "", "no cursor column; all rows rebuild each time", {"no_cursor"});
    row("cursor, no key", table({column("a"), column("updated_at", Type::Timestamp, false, true)}, {}), "full", "", "no key to match rows by: rebuild and swap", {"no_key"});
    row("neither", table({column("a")}, {}), "full", "", "no key to match rows by: rebuild and swap", {"no_key"});
    TableInfo view = table({column("id"), column("updated_at", Type::Timestamp)}, {});
    view.kind = TableKind::View;
    row("view", view, "full", "", "views have no log and no key", {"view_without_key"});
    TableInfo large = table({column("id")});
    large.rowsEstimate = 1234567;
    row("rows are named", large, "full", "", "no cursor column; about 1,234,567 rows rebuild each time", {"no_cursor"});
}

void TestDiscovery::recommends()
{
    QFETCH(Case, input);
    QFETCH(QString, strategy);
    QFETCH(QString, cursor);
    QFETCH(QString, reason);
    QFETCH(QStringList, warnings);
    std::vector<TableInfo> tables {input.table};
    recommend(tables);
    QCOMPARE(tables[0].recommended.strategy == Strategy::Timestamp ? QString("timestamp") : QString("full"), strategy);
    QCOMPARE(QString::fromStdString(tables[0].recommended.cursor), cursor);
    QCOMPARE(QString::fromStdString(tables[0].recommended.reason.text), reason);
    QCOMPARE(ids(tables[0]), warnings);
}

void TestDiscovery::choosesKey_data()
{
    QTest::addColumn<Case>("input");
    QTest::addColumn<QString>("key");
    const std::vector<ColumnInfo> columns {column("a"), column("b"), column("c", Type::Text, true)};
    QTest::newRow("primary") << Case {table(columns, {"b", "a"}, {{"x", {"a"}, true}})} << "b,a";
    QTest::newRow("fewest columns") << Case {table(columns, {}, {{"x", {"a", "b"}, true}, {"y", {"b"}, true}})} << "b";
    QTest::newRow("then name") << Case {table(columns, {}, {{"y", {"b"}, true}, {"x", {"a"}, true}})} << "a";
    QTest::newRow("not nullable") << Case {table(columns, {}, {{"x", {"c"}, true}, {"y", {"a", "b"}, true}})} << "a,b";
    QTest::newRow("not unique") << Case {table(columns, {}, {{"x", {"a"}, false}})} << "";
    QTest::newRow("an expression") << Case {table(columns, {}, {{"x", {}, true}, {"y", {"lower(a)"}, true}})} << "";
}

void TestDiscovery::choosesKey()
{
    QFETCH(Case, input);
    QFETCH(QString, key);
    QStringList parts;
    for (const auto& part : chooseKey(input.table))
        parts << QString::fromStdString(part);
    QCOMPARE(parts.join(','), key);
}

void TestDiscovery::cascadesAreNotCalledMoving()
{
    TableInfo child = table({column("id"), column("updated_at", Type::Timestamp, false, true)}, {"id"}, {{"u", {"updated_at"}, false}});
    child.foreignKeys.push_back({{"parent_id"}, "parent", {"id"}, "set null", "restrict"});
    std::vector<TableInfo> tables {child};
    recommend(tables);
    QCOMPARE(ids(tables[0]), QStringList({"deletes_invisible", "fk_cascade"}));
    QVERIFY(tables[0].recommended.reason.text.find("always") == std::string::npos);

    child.foreignKeys[0].onDelete = "RESTRICT";
    tables = {child};
    recommend(tables);
    QCOMPARE(ids(tables[0]), QStringList({"deletes_invisible"}));
}

void TestDiscovery::saysEverythingOnce()
{
    std::vector<TableInfo> tables {table({column("a")}, {})};
    recommend(tables);
    recommend(tables);
    QCOMPARE(ids(tables[0]), QStringList({"no_key"}));
}

QTEST_APPLESS_MAIN(TestDiscovery)
#include "tst_discovery.moc"
