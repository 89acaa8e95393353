#include "core/secrets/keychain.h"
#include <QCoreApplication>
#include <QThread>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <qt6keychain/keychain.h>

namespace millrace {

namespace {

constexpr auto service = "millrace";

Error keychainError(QKeychain::Error error, const std::string& words, const std::string& name)
{
    const std::string where = "The keychain entry '" + name + "': ";
    switch (error) {
    case QKeychain::EntryNotFound:
        return {Fault::Auth, "secrets.missing_keychain", where + "there is no such entry of " + service, "Enter the password again, or name another entry."};
    case QKeychain::AccessDeniedByUser: case QKeychain::AccessDenied:
        return {Fault::Auth, "secrets.keychain_locked", where + "the keychain refused access", "Unlock the keychain and try again."};
    case QKeychain::NoBackendAvailable: case QKeychain::NotImplemented:
        return {Fault::Auth, "secrets.no_keychain", where + "no keychain runs here" + (words.empty() ? "" : " (" + words + ")"),
                "Start one (GNOME Keyring, KWallet), or store the password in the encrypted file."};
    default: return {Fault::Auth, "secrets.keychain_failed", where + words, "Check that the keychain is unlocked and try again."};
    }
}

//! QtKeychain has one job queue for the process, which lives on the thread of the first job and touches freed jobs of any other (0.13). So
//! there is one such thread, and it is never ended: the queue would die with it.
QThread& keychainThread()
{
    static QThread* const thread = [] {
        auto* made = new QThread;
        made->setObjectName(QStringLiteral("keychain"));
        made->start();
        return made;
    }();
    return *thread;
}

} // namespace

struct Keychain::Answer {
    bool finished = false;
    QKeychain::Error error = QKeychain::OtherError;
    std::string words;
    Secret secret;
    std::optional<Error> unasked;
};

Keychain::Answer Keychain::ask(Act act, const std::string& name, const Secret& secret)
{
    if (!QCoreApplication::instance()) {
        Answer out;
        out.unasked = Error{Fault::Internal, "secrets.no_application", "The keychain was asked before a QCoreApplication was made", {}};
        return out;
    }
    // shared: after a time-out the job may still end, long after we are gone
    struct Call { std::mutex mutex; std::condition_variable ready; Answer answer; };
    const auto call = std::make_shared<Call>();
    auto* courier = new QObject;
    courier->moveToThread(&keychainThread());
    const QString key = QString::fromStdString(name);
    QMetaObject::invokeMethod(courier, [call, courier, act, key, secret] {
        courier->deleteLater();
        QKeychain::Job* job = nullptr;
        const QString at = QString::fromLatin1(service);
        const auto value = secret.reveal();
        if (act == Act::Read)
            job = new QKeychain::ReadPasswordJob(at);
        else if (act == Act::Remove)
            job = new QKeychain::DeletePasswordJob(at);
        else {
            auto* write = new QKeychain::WritePasswordJob(at);
            write->setBinaryData(QByteArray(value.data(), static_cast<qsizetype>(value.size())));
            job = write;
        }
        job->setKey(key);                          // insecureFallback stays off: it would write plain text
        QObject::connect(job, &QKeychain::Job::finished, job, [call](QKeychain::Job* done) {
            std::lock_guard lock(call->mutex);
            call->answer.finished = true;
            call->answer.error = done->error();
            call->answer.words = done->errorString().toStdString();
            if (auto* read = qobject_cast<QKeychain::ReadPasswordJob*>(done); read && !read->error()) {
                QByteArray data = read->binaryData();
                call->answer.secret = Secret(data.toStdString());
                data.fill('\0');
            }
            call->ready.notify_all();
        });
        job->start();
    });
    std::unique_lock lock(call->mutex);
    if (!call->ready.wait_for(lock, m_timeout, [&] { return call->answer.finished; }))
        call->answer.unasked = Error{Fault::Auth, "secrets.keychain_timeout", "The keychain did not answer for entry '" + name + "'",
                                     "Unlock the keychain and try again."};
    return call->answer;
}

Result<Secret> Keychain::read(const std::string& name)
{
    Answer answer = ask(Act::Read, name, {});
    if (answer.unasked)
        return *std::move(answer.unasked);
    if (answer.error != QKeychain::NoError)
        return keychainError(answer.error, answer.words, name);
    return std::move(answer.secret);
}

Result<> Keychain::write(const std::string& name, const Secret& secret)
{
    Answer answer = ask(Act::Write, name, secret);
    if (answer.unasked)
        return *std::move(answer.unasked);
    if (answer.error != QKeychain::NoError)
        return keychainError(answer.error, answer.words, name);
    return {};
}

Result<> Keychain::remove(const std::string& name)
{
    Answer answer = ask(Act::Remove, name, {});
    if (answer.unasked)
        return *std::move(answer.unasked);
    if (answer.error != QKeychain::NoError && answer.error != QKeychain::EntryNotFound)
        return keychainError(answer.error, answer.words, name);
    return {};
}

} // namespace millrace
