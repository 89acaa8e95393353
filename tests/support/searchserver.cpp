#include "tests/support/searchserver.h"
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <curl/curl.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <regex>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace millrace::test {

namespace fs = std::filesystem;

namespace {

constexpr unsigned nobody = 65534;                  // Elasticsearch refuses root

std::uint16_t freePort()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

std::string tail(const std::string& path)
{
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    const std::string all = text.str();
    return all.substr(all.size() > 800 ? all.size() - 800 : 0);
}

template <class Condition> bool eventually(std::chrono::seconds limit, Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
}

bool run(const std::string& command, std::string& last)
{
    FILE* out = ::popen((command + " 2>&1").c_str(), "r");
    std::string text;
    char buffer[512];
    while (out && std::fgets(buffer, sizeof buffer, out))
        text += buffer;
    const int status = out ? ::pclose(out) : -1;
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    last = text.substr(text.rfind('\n') + 1);
    return status == 0;
}

//! A Java of at least this version, the oldest that does.
std::string findJava(int least)
{
    std::vector<std::string> candidates {"java"};
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/usr/lib/jvm", ignored))
        candidates.push_back((entry.path() / "bin/java").string());
    std::string best, line;
    int bestVersion = 0;
    for (const auto& java : candidates) {
        std::smatch found;
        FILE* out = ::popen(("'" + java + "' -version 2>&1").c_str(), "r");
        char buffer[512];
        line = out && std::fgets(buffer, sizeof buffer, out) ? buffer : "";
        if (out)
            ::pclose(out);
        if (!std::regex_search(line, found, std::regex("version \"(\\d+)")))
            continue;
        const int version = std::stoi(found[1]);
        if (version >= least && (best.empty() || version < bestVersion)) {
            best = java;
            bestVersion = version;
        }
    }
    return best;
}

std::size_t take(char* data, std::size_t, std::size_t size, void* to)
{
    static_cast<std::string*>(to)->append(data, size);
    return size;
}

} // namespace

std::unique_ptr<SearchServer> SearchServer::start(std::string& reason, const Options& options)
{
    std::unique_ptr<SearchServer> server(new SearchServer);
    server->m_options = options;
    if (!server->prepare(reason) || !server->launch(reason))
        return nullptr;
    return server;
}

bool SearchServer::prepare(std::string& reason)
{
    const bool open = m_options.kind == "opensearch";
    const std::string services = std::string(MILLRACE_SOURCE_DIR) + "/tests/services";
    std::string last;
    if (!run("'" + services + (open ? "/opensearch.sh' " + m_options.version + (m_options.security ? " security" : " plain") : std::string("/elasticsearch.sh'")), last)) {
        reason = last;
        return false;
    }
    m_home = last;
    const int least = open && m_options.version.starts_with("3.") ? 21 : 17;
    m_java = findJava(least);
    if (m_java.empty()) {
        reason = "no Java " + std::to_string(least) + " or later is installed";
        return false;
    }
    std::string pattern = (fs::temp_directory_path() / "millrace-search-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) {
        reason = "no temporary folder";
        return false;
    }
    m_folder = pattern;
    for (const char* part : {"data", "logs", "tmp", "conf"})
        fs::create_directory(m_folder + "/" + part);
    m_port = freePort();
    m_transport = freePort();
    if (open)
        return true;
    for (const char* file : {"log4j2.properties", "users", "users_roles", "roles.yml", "role_mapping.yml"})
        fs::copy_file(m_home + "/config/" + file, m_folder + "/conf/" + file);
    if (m_options.security
        && !run("openssl req -x509 -newkey rsa:2048 -nodes -keyout '" + m_folder + "/conf/http.key' -out '" + m_folder
                    + "/conf/http.crt' -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1", last)) {
        reason = "openssl makes no certificate: " + last;
        return false;
    }
    if (::geteuid() == 0)
        run("chown -R " + std::to_string(nobody) + ":" + std::to_string(nobody) + " '" + m_folder + "'", last);
    return true;
}

std::vector<std::string> SearchServer::commandLine() const
{
    const std::string heap = std::to_string(m_options.heapMb) + "m";
    std::vector<std::string> out {m_java, "-Xms" + heap, "-Xmx" + heap, "-Xss1m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djna.nosys=true", "-Dlog4j2.disable.jmx=true",
                                  "-Dlog4j.shutdownHookEnabled=false"};
    const auto add = [&](std::initializer_list<std::string> more) { out.insert(out.end(), more); };
    std::vector<std::string> settings {"path.data=" + m_folder + "/data", "network.host=127.0.0.1", "http.port=" + std::to_string(m_port), "transport.port=" + std::to_string(m_transport),
                                       "discovery.type=single-node", "cluster.name=millrace-test", "node.name=n1", "cluster.routing.allocation.disk.threshold_enabled=false"};
    settings.insert(settings.end(), m_options.settings.begin(), m_options.settings.end());
    if (m_options.kind == "opensearch") {
        if (m_options.version.starts_with("2."))
            add({"-Djava.security.manager=allow"});
        add({"-Djna.nounpack=true", "-Dopensearch.path.home=" + m_home, "-Dopensearch.path.conf=" + m_home + "/config", "-cp", m_home + "/lib/*", "org.opensearch.bootstrap.OpenSearch",
             "-Epath.logs=" + m_folder + "/logs"});
        for (const auto& setting : settings)
            out.push_back("-E" + setting);
        return out;
    }
    // What the server's own launcher would pass.
    const std::string bridge = "org.elasticsearch.entitlement";
    add({"-Dfile.encoding=UTF-8", "-Djava.awt.headless=true", "-Djava.locale.providers=SPI,COMPAT", "-Djava.security.manager=allow", "-Dio.netty.noUnsafe=true",
         "-Dio.netty.noKeySetOptimization=true", "-Dio.netty.recycler.maxCapacityPerThread=0", "-Djdk.attach.allowAttachSelf=true", "-XX:+EnableDynamicAgentLoading",
         "-Des.entitlements.enabled=true", "-Des.distribution.type=tar", "-Des.java.type=",
         "--patch-module", "java.base=lib/entitlement-bridge/elasticsearch-entitlement-bridge-8.19.13.jar",
         "--add-exports", "java.base/org.elasticsearch.entitlement.bridge=" + bridge + ",java.logging,java.net.http,java.naming,jdk.net"});
    for (const char* package : {"java.base/sun.net.www", "java.base/sun.net.www.protocol.ftp", "java.base/sun.net.www.protocol.file", "java.base/sun.net.www.protocol.jar",
             "java.base/sun.net.www.protocol.http", "java.base/sun.net.www.protocol.https", "java.base/sun.net.www.protocol.mailto", "java.base/sun.nio.ch",
             "java.net.http/jdk.internal.net.http", "jdk.jlink/jdk.tools.jlink.internal", "jdk.jdi/com.sun.tools.jdi"})
        add({"--add-exports", package + ("=" + bridge)});
    add({"--add-opens", "org.elasticsearch.server/org.elasticsearch.bootstrap=ALL-UNNAMED", "--module-path", "lib", "--add-modules=jdk.net,jdk.management.agent,ALL-MODULE-PATH",
         "-Djava.io.tmpdir=" + m_folder + "/tmp", "-Des.path.home=" + m_home, "-Des.path.conf=" + m_folder + "/conf", "-cp", m_home + "/start", "Start", m_folder + "/conf", m_folder + "/logs"});
    settings.push_back(std::string("xpack.security.enabled=") + (m_options.security ? "true" : "false"));
    if (m_options.security)
        settings.insert(settings.end(), {"secure:bootstrap.password=" + password(), "xpack.security.http.ssl.enabled=true", "xpack.security.http.ssl.key=http.key",
                                         "xpack.security.http.ssl.certificate=http.crt"});
    out.insert(out.end(), settings.begin(), settings.end());
    return out;
}

bool SearchServer::launch(std::string& reason)
{
    std::vector<std::string> arguments = commandLine();
    std::vector<char*> argv;
    for (const auto& a : arguments)
        argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const int out = ::open((m_folder + "/out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool drop = m_options.kind == "elasticsearch" && ::geteuid() == 0;
    const std::string libffi = m_folder + "/tmp";
    m_pid = ::fork();
    if (m_pid == 0) {
        if (drop && (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0))
            ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);                       // a test that crashes leaves no server behind
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::setenv("LIBFFI_TMPDIR", libffi.c_str(), 1);
        if (::chdir(m_home.c_str()) != 0)
            ::_exit(126);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(out);
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        std::ofstream(std::string(pids) + "/" + std::to_string(m_pid)) << "search\n";
    bool died = false;
    const bool up = eventually(std::chrono::seconds(180), [&] {
        died = ::waitpid(m_pid, nullptr, WNOHANG) != 0;
        return died || request("GET", "/_cluster/health?wait_for_status=yellow&timeout=1s").status == 200;
    });
    if (up && !died)
        return true;
    if (died)
        m_pid = 0;
    reason = m_options.kind + " does not come up: " + tail(m_folder + "/out");
    return false;
}

void SearchServer::end(int signal)
{
    if (m_client)
        curl_easy_cleanup(static_cast<CURL*>(std::exchange(m_client, nullptr)));
    if (m_pid <= 0)
        return;
    ::kill(m_pid, signal);
    if (!eventually(std::chrono::seconds(30), [&] { return ::waitpid(m_pid, nullptr, WNOHANG) != 0; })) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        ::unlink((std::string(pids) + "/" + std::to_string(m_pid)).c_str());
    m_pid = 0;
}

SearchServer::~SearchServer()
{
    end(SIGKILL);                                                 // the data goes with it
    std::error_code ignored;
    if (!m_folder.empty())
        fs::remove_all(m_folder, ignored);
}

void SearchServer::kill9() { end(SIGKILL); }

Result<> SearchServer::restart()
{
    end(SIGTERM);
    std::string reason;
    if (!launch(reason))
        return Error {Fault::Internal, "test.search", reason, {}, {}};
    return {};
}

std::string SearchServer::ca() const { return m_options.kind == "opensearch" ? m_home + "/config/node.crt" : m_folder + "/conf/http.crt"; }

ConnectionParams SearchServer::params() const
{
    ConnectionParams params;
    params.name = "search";
    params.url.scheme = m_options.kind;
    params.url.hosts = {{"localhost", m_port}};
    if (m_options.security) {
        params.url.user = user();
        params.url.options["tls"] = "verify-full";
        params.url.options["tls_ca"] = ca();
        params.secrets["password"] = Secret(password());
    }
    return params;
}

SearchServer::Reply SearchServer::request(const std::string& method, const std::string& path, const std::string& body) const
{
    auto*& client = const_cast<SearchServer*>(this)->m_client;
    if (!client) {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        client = curl_easy_init();
    }
    auto* curl = static_cast<CURL*>(client);
    curl_easy_reset(curl);
    Reply reply;
    const std::string url = std::string(m_options.security ? "https" : "http") + "://localhost:" + std::to_string(m_port) + path;
    curl_slist* headers = curl_slist_append(nullptr, path.find("_bulk") == std::string::npos ? "Content-Type: application/json" : "Content-Type: application/x-ndjson");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.text);
    const std::string ca = this->ca(), login = user() + ":" + password();
    if (m_options.security) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca.c_str());
        curl_easy_setopt(curl, CURLOPT_USERPWD, login.c_str());
    }
    if (!body.empty()) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_slist_free_all(headers);
    if (auto json = Node::fromJson(reply.text))
        reply.json = *json;
    return reply;
}

} // namespace millrace::test
