#include "core/target/redis/faults.h"
#include "core/target/redis/keys.h"
#include <QTest>
#include <random>
#include <set>

using namespace millrace;
using namespace millrace::redis;

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))

class TstRedisKeys : public QObject {
    Q_OBJECT
private slots:
    //! Redis cluster specification: CRC16 of "123456789" is 0x31C3; hash tags count alone.
    void slotsAsTheSpecificationSays()
    {
        QCOMPARE(slotOf("123456789"), 0x31C3 % 16384);
        QCOMPARE(slotOf("foo"), 12182);
        QCOMPARE(slotOf("{user1000}.following"), slotOf("{user1000}.followers"));
        QCOMPARE(slotOf("foo{}{bar}"), slotOf("foo{}{bar}"));
        QVERIFY(slotOf("foo{}{bar}") != slotOf("bar"));
        QCOMPARE(slotOf("foo{{bar}}zap"), slotOf("{bar"));
        QCOMPARE(slotOf("foo{bar}{zap}"), slotOf("bar"));
    }

    void everySlotHasATag()
    {
        for (int slot = 0; slot < slotCount; ++slot)
            QCOMPARE(slotOf("{" + tagOf(slot) + "}_mr:keys:film"), slot);
    }

    void theUsualNames()
    {
        COMPARE_TEXT(documentKey("film", "7"), std::string("film:7"));
        COMPARE_TEXT(companionKey("film:7"), std::string("{film:7}:_mr"));
        COMPARE_TEXT(asideKey("film:7"), std::string("{film:7}:_mr:aside"));
        COMPARE_TEXT(registryKey(KeySet::Own, "film", -1), std::string("_mr:keys:film"));
        COMPARE_TEXT(leaseKey("shop"), std::string("_mr:lease:shop"));
        COMPARE_TEXT(patternOf("a*b[c]?\\"), std::string("a\\*b\\[c\\]\\?\\\\:*"));
        COMPARE_TEXT(safeContainer("p_", "film"), std::string("p_film"));
        COMPARE_TEXT(safeContainer("shop:", "film"), std::string("shop:film"));
        COMPARE_TEXT(safeContainer("", "_mr:lease"), std::string("_:lease"));
        COMPARE_TEXT(safeContainer("", "a{b}\n"), std::string("a_b__"));
        COMPARE_TEXT(safeContainer("", "_mr"), std::string("_"));
    }

    //! Of any documents: all of one document in one slot, no two names alike, and the way back from aside.
    void namesOfAnyKey()
    {
        std::mt19937 random(11);
        const std::vector<std::string> parts = {"{", "}", "a", "1", ":", "_mr", ":_mr", "}:_mr", "}:_mr:aside", "}:_mr=", "}:_mr+", "{3}", "film:", ""};
        std::set<std::string> documents, names;
        for (int i = 0; i < 20'000; ++i) {
            std::string key;
            for (unsigned n = random() % 6; n; --n)
                key += parts[random() % parts.size()];
            documents.insert(documentKey(safeContainer("", parts[random() % parts.size()] + "t"), key));
        }
        for (const std::string& document : documents) {
            for (const std::string& name : {document, companionKey(document), asideKey(document), asideCompanionKey(document)}) {
                QVERIFY2(names.insert(name).second, name.c_str());
                QCOMPARE(slotOf(name), slotOf(document));
            }
            COMPARE_TEXT(documentOfAside(asideKey(document)), document);
        }
    }

    void errorsByTheirWords_data()
    {
        QTest::addColumn<QString>("words");
        QTest::addColumn<int>("fault");
        QTest::addColumn<QString>("id");
        const auto row = [](const char* name, const char* words, Fault kind, const char* id) { QTest::newRow(name) << words << int(kind) << QString("target.redis.") + id; };
        row("OOM", "OOM command not allowed when used memory > 'maxmemory'. script: ab12, on @user_script:31.", Fault::Storage, "full");
        row("OOM of Redis 6", "ERR Error running script (call to f_ab12): @user_script:31: @user_script: 31: -OOM command not allowed when used memory > 'maxmemory'.", Fault::Storage, "full");
        row("MISCONF", "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", Fault::Storage, "not_persisted");
        row("READONLY", "READONLY You can't write against a read only replica.", Fault::Network, "not_primary");
        row("MOVED", "MOVED 3999 127.0.0.1:6381", Fault::Network, "moved");
        row("CLUSTERDOWN", "CLUSTERDOWN Hash slot not served", Fault::Network, "cluster_down");
        row("TRYAGAIN", "TRYAGAIN Multiple keys request during rehashing of slot", Fault::Network, "resharding");
        row("CROSSSLOT", "CROSSSLOT Keys in request don't hash to the same slot", Fault::Internal, "cross_slot");
        row("LOADING", "LOADING Redis is loading the dataset in memory", Fault::Throttled, "loading");
        row("BUSY", "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Fault::Throttled, "busy");
        row("NOREPLICAS", "NOREPLICAS Not enough good replicas to write.", Fault::Network, "no_replicas");
        row("NOPERM", "NOPERM this user has no permissions to run the 'set' command", Fault::Auth, "privilege");
        row("NOPERM in a script", "ERR The user executing the script can't run this command or subcommand script: ab12, on @user_script:4.", Fault::Auth, "privilege");
        row("keys in a script", "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: ab", Fault::Auth, "privilege");
        row("NOAUTH", "NOAUTH Authentication required.", Fault::Auth, "login");
        row("WRONGPASS", "WRONGPASS invalid username-password pair or user is disabled.", Fault::Auth, "login");
        row("WRONGTYPE", "WRONGTYPE Operation against a key holding the wrong kind of value", Fault::Config, "wrong_type");
        row("clients", "ERR max number of clients reached", Fault::Throttled, "too_many_clients");
        row("database", "ERR DB index is out of range", Fault::Config, "database");
        row("unknown command", "ERR unknown command `EVALSHA`, with args beginning with: ", Fault::Config, "unknown_command");
        row("fenced", "FENCED the lease is held by another instance now", Fault::Fenced, "fenced");
        row("something else", "ERR syntax error", Fault::Internal, "server_error");
    }
    void errorsByTheirWords()
    {
        QFETCH(QString, words);
        QFETCH(int, fault);
        QFETCH(QString, id);
        Deployment deployment;
        deployment.password = Secret("hunter2");
        const Error error = faultOf(words.toStdString() + " hunter2", deployment, "writing film");
        QCOMPARE(int(error.fault), fault);
        COMPARE_TEXT(error.id, id.toStdString());
        QVERIFY(error.detail.starts_with("writing film: ") && error.detail.find("hunter2") == std::string::npos);
        QVERIFY(!error.fix.empty() || error.fault == Fault::Internal);
    }
};

QTEST_GUILESS_MAIN(TstRedisKeys)
#include "tst_redis_keys.moc"
