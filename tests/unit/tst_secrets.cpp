#include "core/base/text.h"
#include "core/secrets/keychain.h"
#include "core/secrets/vault.h"
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QtTest>
#include <map>
#include <thread>

using namespace millrace;

namespace {
const std::string canary = "k4narienvogel-im-tresor";
const std::string hexKey(64, 'a'), otherKey(64, 'b');

class Collected : public Log {
public:
    void write(LogEntry entry) noexcept override { entries.push_back(std::move(entry)); }
    std::string text() const
    {
        std::string out;
        for (const auto& entry : entries)
            out += entry.text + "\n";
        return out;
    }
    std::vector<LogEntry> entries;
};
} // namespace

class SecretsTest : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> m_dir;
    std::map<std::string, std::string> m_environment;
    Collected m_log;

    std::string path(const char* name) const { return m_dir->filePath(name).toStdString(); }
    std::string sealed() const { return path("home") + "/secrets.bin"; }
    std::unique_ptr<SecretVault> vault(VaultMode mode = VaultMode::EncryptedFile)
    {
        VaultOptions options;
        options.mode = mode;
        options.log = &m_log;
        options.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto at = m_environment.find(name);
            return at == m_environment.end() ? std::nullopt : std::optional(at->second);
        };
        return std::move(openVault(path("home"), options)).value();
    }
    std::string file(const char* name, const std::string& content, unsigned mode = 0600) const
    {
        if (!platform::replaceFile(path(name), content, mode) || !platform::setMode(path(name), mode))
            qFatal("cannot write %s", name);
        return path(name);
    }
    std::string bytes() const { return platform::readFile(sealed(), 1u << 20).value_or(""); }
    static std::string plain(Result<Secret> secret) { return secret ? std::string(secret->reveal()) : "error " + secret.error().id; }
    static SecretRef stored() { return {SecretRef::Kind::Stored, {}}; }
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        m_environment = {{"HOME", path("user")}, {"XDG_CONFIG_HOME", path("config")}};
        m_log.entries.clear();
    }

    void keepsAndGivesBack()
    {
        const std::string odd = std::string("\0\xff\n", 3) + canary;
        auto first = vault();
        QCOMPARE(first->describe(), std::string("encrypted file"));
        const auto ref = first->keep("shop/password", Secret(canary));
        QVERIFY2(ref.has_value(), ref ? "" : ref.error().detail.c_str());
        QVERIFY(*ref == stored());
        QVERIFY(first->keep("search/api_key", Secret(odd)).has_value());
        QVERIFY(first->keep("shop/empty", Secret()).has_value());
        auto again = vault();                                         // another process
        QCOMPARE(plain(again->resolve(*ref, "shop/password")), canary);
        QCOMPARE(plain(again->resolve(*ref, "search/api_key")), odd);
        QCOMPARE(plain(again->resolve(*ref, "shop/empty")), std::string());
        QVERIFY(again->keep("shop/password", Secret("newer")).has_value());
        QCOMPARE(plain(first->resolve(*ref, "shop/password")), std::string("newer"));
        QVERIFY(first->forget("shop/password").has_value());
        QVERIFY(first->forget("shop/password").has_value());
        QCOMPARE(plain(first->resolve(*ref, "shop/password")), std::string("error secrets.not_stored"));
        QCOMPARE(plain(first->resolve(*ref, "search/api_key")), odd);
        QCOMPARE(plain(first->resolve({}, "shop/password")), std::string());
    }

    void nothingIsMadeByLooking()
    {
        auto v = vault();
        const auto missing = v->resolve(stored(), "shop/password");
        QCOMPARE(missing.error().id, std::string("secrets.not_stored"));
        QCOMPARE(missing.error().fault, Fault::Auth);
        QVERIFY(missing.error().fix.find("connections edit shop") != std::string::npos);
        QVERIFY(v->forget("shop/password").has_value());
        QVERIFY(!platform::facts(path("home")) && !platform::facts(path("config")));
    }

    void filesArePrivateAndTheKeyLiesOutside()
    {
        QVERIFY(vault()->keep("shop/password", Secret(canary)).has_value());
        QCOMPARE(platform::facts(sealed())->mode, 0600u);
        QCOMPARE(platform::facts(path("home"))->mode, 0700u);
        const auto keys = QDir(m_dir->filePath("config/millrace")).entryList(QDir::Files);
        QCOMPARE(keys.size(), 1);
        QVERIFY(keys[0].endsWith(".key"));
        QCOMPARE(platform::facts(path("config/millrace") + "/" + keys[0].toStdString())->mode, 0600u);
        QCOMPARE(platform::facts(path("config/millrace"))->mode, 0700u);
        QVERIFY(m_log.text().find(keys[0].toStdString()) != std::string::npos);    // told where it is
        QCOMPARE(QDir(m_dir->filePath("home")).entryList(QDir::Files), QStringList({"secrets.bin"}));
    }

    void theCanaryIsNowhere()
    {
        auto v = vault();
        QVERIFY(v->keep("shop/password", Secret(canary)).has_value());
        const std::string first = bytes();
        QVERIFY(v->keep("shop/password", Secret(canary)).has_value());
        QVERIFY(first != bytes());                                    // a new nonce each time
        const auto keys = QDir(m_dir->filePath("config/millrace")).entryInfoList(QDir::Files);
        const std::string key = platform::readFile(keys[0].filePath().toStdString(), 1000).value_or("");
        for (const std::string& text : {first, bytes(), key, m_log.text()})
            for (const std::string& form : {canary, base64(canary), hex(canary), std::string("shop"), trimmed(key)})
                if (text != key || form != trimmed(key))
                    QVERIFY(text.find(form) == std::string::npos);
    }

    void everyChangedByteIsNoticed()
    {
        QVERIFY(vault()->keep("shop/password", Secret(canary)).has_value());
        const std::string good = bytes();
        for (std::size_t i = 0; i < good.size(); ++i) {
            std::string bad = good;
            bad[i] = static_cast<char>(bad[i] ^ 1);
            QVERIFY(platform::replaceFile(sealed(), bad).has_value());
            const auto found = vault()->resolve(stored(), "shop/password");
            QVERIFY(!found);
            // bytes 8 to 39 name the vault's key file and its key: there it looks like a key that is missing or wrong
            const std::string expected = i >= 8 && i < 24 ? "secrets.key_missing" : i >= 24 && i < 40 ? "secrets.wrong_key" : "secrets.damaged";
            QCOMPARE(found.error().id, expected);
        }
        for (const std::size_t size : {std::size_t(0), std::size_t(1), std::size_t(63), std::size_t(64), good.size() - 1}) {
            QVERIFY(platform::replaceFile(sealed(), good.substr(0, size)).has_value());
            QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), std::string("error secrets.damaged"));
            QVERIFY(!vault()->keep("shop/password", Secret("x")));    // never written over
            QCOMPARE(bytes(), good.substr(0, size));
        }
        QVERIFY(platform::replaceFile(sealed(), good + "x").has_value());
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), std::string("error secrets.damaged"));
        QVERIFY(platform::replaceFile(sealed(), good).has_value());
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), canary);
    }

    void aCopyOfTheHomeDecryptsNothing()
    {
        QVERIFY(vault()->keep("shop/password", Secret(canary)).has_value());
        m_environment = {{"HOME", path("thief")}};                    // another user with the whole home
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), std::string("error secrets.key_missing"));
        m_environment["MILLRACE_KEY_FILE"] = file("thief.key", otherKey);
        const auto found = vault()->resolve(stored(), "shop/password");
        QCOMPARE(found.error().id, std::string("secrets.wrong_key"));
        QVERIFY(found.error().detail.find("thief.key") != std::string::npos);
        QVERIFY(!vault()->keep("shop/password", Secret("x")));
    }

    void keyFromTheEnvironment_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("problem");
        QTest::newRow("hex") << QByteArray(64, 'a') << "";
        QTest::newRow("hex and line end") << QByteArray(64, 'a') + "\n" << "";
        QTest::newRow("raw") << QByteArray(31, '\1') + "\n" << "";
        QTest::newRow("long phrase") << QByteArray("a phrase that is long enough to be a key\n") << "";
        QTest::newRow("short") << QByteArray("short\n") << "secrets.key_too_short";
        QTest::newRow("empty") << QByteArray() << "secrets.key_too_short";
    }
    void keyFromTheEnvironment()
    {
        QFETCH(QByteArray, content);
        QFETCH(QString, problem);
        m_environment["MILLRACE_KEY_FILE"] = file("my.key", content.toStdString());
        const auto kept = vault()->keep("shop/password", Secret(canary));
        QCOMPARE(QString::fromStdString(kept ? "" : kept.error().id), problem);
        if (!kept)
            return;
        QVERIFY(!platform::facts(path("config")));                    // no second key is made
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), canary);
    }

    void looseOrMissingKeysAreRefused()
    {
        m_environment["MILLRACE_KEY_FILE"] = file("my.key", hexKey, 0640);
        const auto loose = vault()->keep("shop/password", Secret(canary));
        QCOMPARE(loose.error().id, std::string("secrets.key_permissions"));
        QVERIFY(loose.error().fix.find("chmod 600") != std::string::npos);
        m_environment["MILLRACE_KEY_FILE"] = path("none.key");
        QCOMPARE(vault()->keep("shop/password", Secret(canary)).error().id, std::string("secrets.key_missing"));
        QVERIFY(!platform::facts(sealed()));
    }

    void systemdCredential()
    {
        QVERIFY(platform::makePrivateFolder(path("credentials")).has_value());
        file("credentials/millrace.key", hexKey, 0440);               // as systemd shows it
        m_environment["CREDENTIALS_DIRECTORY"] = path("credentials");
        QVERIFY(vault()->keep("shop/password", Secret(canary)).has_value());
        QVERIFY(!platform::facts(path("config")));
        m_environment.erase("CREDENTIALS_DIRECTORY");
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), std::string("error secrets.key_missing"));
        // the same key by another way opens it, whatever else is offered
        m_environment["MILLRACE_KEY_FILE"] = file("my.key", hexKey);
        m_environment["CREDENTIALS_DIRECTORY"] = path("credentials");
        file("credentials/millrace.key", otherKey, 0440);
        QCOMPARE(plain(vault()->resolve(stored(), "shop/password")), canary);
    }

    void keyInsideTheHomeIsWarnedOf()
    {
        QVERIFY(platform::makePrivateFolder(path("home")).has_value());
        m_environment["MILLRACE_KEY_FILE"] = file("home/my.key", hexKey);
        QVERIFY(vault()->keep("shop/password", Secret(canary)).has_value());
        QVERIFY(m_log.text().find("inside the home") != std::string::npos);
    }

    void fromTheEnvironment()
    {
        m_environment["SHOP_PASSWORD"] = canary;
        m_environment["EMPTY"] = "";
        auto v = vault();
        QCOMPARE(plain(v->resolve({SecretRef::Kind::Env, "SHOP_PASSWORD"}, "shop/password")), canary);
        QCOMPARE(plain(v->resolve({SecretRef::Kind::Env, "EMPTY"}, "shop/password")), std::string());
        const auto missing = v->resolve({SecretRef::Kind::Env, "NO_SUCH"}, "shop/password");
        QCOMPARE(missing.error().id, std::string("secrets.missing_env"));
        QCOMPARE(missing.error().fault, Fault::Auth);
        QVERIFY(missing.error().detail.find("NO_SUCH") != std::string::npos);
        QVERIFY(missing.error().fix.find("connections edit shop") != std::string::npos);
    }

    void fromAFile_data()
    {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QByteArray>("expected");
        QTest::newRow("line end cut") << QByteArray("secret\n") << QByteArray("secret");
        QTest::newRow("windows line end cut") << QByteArray("secret\r\n") << QByteArray("secret");
        QTest::newRow("only one") << QByteArray("secret\n\n") << QByteArray("secret\n");
        QTest::newRow("spaces stay") << QByteArray(" secret ") << QByteArray(" secret ");
        QTest::newRow("empty") << QByteArray() << QByteArray();
    }
    void fromAFile()
    {
        QFETCH(QByteArray, content);
        QFETCH(QByteArray, expected);
        const SecretRef ref{SecretRef::Kind::File, file("password", content.toStdString())};
        QCOMPARE(plain(vault()->resolve(ref, "shop/password")), expected.toStdString());
        QVERIFY(m_log.entries.empty());
    }

    void loosePasswordFiles()
    {
        auto v = vault();
        const SecretRef ref{SecretRef::Kind::File, file("password", canary, 0644)};
        QCOMPARE(plain(v->resolve(ref, "shop/password")), canary);    // readable: warned (Kubernetes mounts them so)
        QVERIFY(m_log.text().find("chmod 600") != std::string::npos);
        QVERIFY(m_log.text().find(canary) == std::string::npos);
        file("password", canary, 0620);
        QCOMPARE(plain(v->resolve(ref, "shop/password")), std::string("error secrets.file_permissions"));
        QVERIFY(QFile::remove(m_dir->filePath("password")));
        QCOMPARE(plain(v->resolve(ref, "shop/password")), std::string("error secrets.missing_file"));
        QCOMPARE(plain(v->resolve({SecretRef::Kind::File, m_dir->path().toStdString()}, "shop/password")), std::string("error secrets.unreadable_file"));
        file("password", std::string(70'000, 'x'));
        const auto large = v->resolve(ref, "shop/password");
        QCOMPARE(large.error().id, std::string("secrets.unreadable_file"));
        QVERIFY(large.error().detail.find("xx") == std::string::npos);
    }

    void manyThreads()
    {
        auto v = vault();
        std::atomic<int> wrong = 0;
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([&, t] {
                    const std::string key = "c" + std::to_string(t) + "/password";
                    for (int i = 0; i < 10; ++i) {
                        wrong += v->keep(key, Secret(canary + std::to_string(i))) ? 0 : 1;
                        wrong += plain(v->resolve(stored(), key)) == canary + std::to_string(i) ? 0 : 1;
                    }
                });
        }
        QCOMPARE(wrong.load(), 0);
        for (int t = 0; t < 4; ++t)
            QCOMPARE(plain(vault()->resolve(stored(), "c" + std::to_string(t) + "/password")), canary + "9");
    }

    void withoutAKeychainNothingFallsBackToPlainText()
    {
        qputenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        auto v = vault(VaultMode::Keychain);
        QCOMPARE(v->describe(), std::string("keychain"));
        const auto kept = v->keep("shop/password", Secret(canary));
        QVERIFY(!kept);
        QCOMPARE(kept.error().fault, Fault::Auth);
        QVERIFY2(kept.error().id.starts_with("secrets."), kept.error().id.c_str());
        QVERIFY(!kept.error().fix.empty());
        const auto found = v->resolve({SecretRef::Kind::Keychain, "mine"}, "shop/password");
        QVERIFY(!found);
        QVERIFY(found.error().detail.find("mine") != std::string::npos);
        QVERIFY(!keychainAvailable());
        const QDir files(m_dir->path());
        QCOMPARE(files.entryList(QDir::AllEntries | QDir::NoDotAndDotDot), QStringList());
    }
};

QTEST_GUILESS_MAIN(SecretsTest)
#include "tst_secrets.moc"
