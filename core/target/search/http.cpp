#include "core/target/search/http.h"
#include "core/base/text.h"
#include <curl/curl.h>
#include <algorithm>
#include <charconv>
#include <mutex>

namespace millrace::search {

namespace {

constexpr std::size_t longestAnswer = 1u << 30;

struct Reading { std::string* body; const std::stop_token* stop; };

std::size_t take(char* data, std::size_t, std::size_t size, void* to)
{
    std::string& body = *static_cast<Reading*>(to)->body;
    if (body.size() + size > longestAnswer)
        return 0;
    body.append(data, size);
    return size;
}

int watch(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return static_cast<Reading*>(of)->stop->stop_requested() ? 1 : 0; }

std::string authorization(const Cluster& cluster)
{
    if (!cluster.token.empty())
        return "Authorization: Bearer " + std::string(cluster.token.reveal());
    if (!cluster.apiKey.empty()) {
        // as it is shown once, "id:key", or as it is encoded for the header
        const std::string_view key = cluster.apiKey.reveal();
        return "Authorization: ApiKey " + (key.find(':') == std::string_view::npos ? std::string(key) : base64(key));
    }
    if (!cluster.password.empty())
        return "Authorization: Basic " + base64(cluster.url.user + ":" + std::string(cluster.password.reveal()));
    return {};
}

} // namespace

struct Http::Handle {
    CURL* curl = nullptr;
    curl_slist *json = nullptr, *lines = nullptr;
    char words[CURL_ERROR_SIZE] = {};
    ~Handle()
    {
        curl_slist_free_all(json);
        curl_slist_free_all(lines);
        curl_easy_cleanup(curl);
    }
};

Http::Http(ClusterPtr cluster) : m_cluster(std::move(cluster)), m_handle(std::make_unique<Handle>())
{
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    CURL* curl = m_handle->curl = curl_easy_init();
    if (!curl)
        return;
    const std::string login = authorization(*m_cluster);
    for (auto* list : {&m_handle->json, &m_handle->lines}) {
        *list = curl_slist_append(*list, list == &m_handle->json ? "Content-Type: application/json" : "Content-Type: application/x-ndjson");
        *list = curl_slist_append(*list, "Expect:");               // asking first costs a round trip a body
        if (!login.empty())
            *list = curl_slist_append(*list, login.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, m_handle->words);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);            // a login is never carried to another host
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, m_cluster->tls == TlsMode::Disable ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace");
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(m_cluster->connectTimeout.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(m_cluster->requestTimeout.count()));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    if (m_cluster->url.loopback())
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, m_cluster->tls == TlsMode::Require ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, m_cluster->tls == TlsMode::VerifyFull ? 2L : 0L);
    if (!m_cluster->ca.empty())
        curl_easy_setopt(curl, CURLOPT_CAINFO, m_cluster->ca.c_str());
    const std::string& key = m_cluster->key.empty() ? m_cluster->certificate : m_cluster->key;
    if (!m_cluster->certificate.empty())
        curl_easy_setopt(curl, CURLOPT_SSLCERT, m_cluster->certificate.c_str());
    if (!key.empty())
        curl_easy_setopt(curl, CURLOPT_SSLKEY, key.c_str());
}

Http::~Http() = default;

Result<Answer> Http::send(const char* method, const std::string& path, std::string_view body, Body kind, std::string_view doing, std::stop_token stop)
{
    if (stop.stop_requested())
        return m_cluster->cancelled(doing);
    CURL* curl = m_handle->curl;
    if (!curl)
        return m_cluster->error(Fault::Internal, "http", std::string(doing) + ": libcurl gives no handle.", {});
    Answer answer;
    Reading reading{&answer.body, &stop};
    m_handle->words[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, (m_cluster->base + path).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, kind == Body::Lines ? m_handle->lines : m_handle->json);
    curl_easy_setopt(curl, CURLOPT_NOBODY, 0L);
    if (kind == Body::None && std::string_view(method) == "HEAD") {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (kind == Body::None && std::string_view(method) != "POST" && std::string_view(method) != "PUT") {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data() ? body.data() : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reading);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &reading);
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, nullptr);
    if (code != CURLE_OK)
        return failed(code, doing, stop);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_off_t wait = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        answer.retryAfter = std::chrono::seconds(std::min<curl_off_t>(wait, 60));
    return answer;
}

Error Http::failed(int code, std::string_view doing, const std::stop_token& stop) const
{
    const std::string words = std::string(doing) + ": " + (m_handle->words[0] ? m_handle->words : curl_easy_strerror(static_cast<CURLcode>(code))) + " (" + m_cluster->where() + ")";
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        if (stop.stop_requested()) return m_cluster->cancelled(doing);
        break;
    case CURLE_COULDNT_RESOLVE_HOST: return m_cluster->error(Fault::Network, "unknown_host", words, "Check the host name.");
    case CURLE_COULDNT_CONNECT:
        return m_cluster->error(Fault::Network, "unreachable", words, "Check host and port, that the server runs there, and the firewall between.");
    case CURLE_OPERATION_TIMEDOUT: return m_cluster->error(Fault::Timeout, "timeout", words, {});
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_ISSUER_ERROR:
        return m_cluster->error(Fault::Config, "tls", words, "Check the CA file (tls_ca) and that the certificate names this host; tls=disable only on a network you trust.");
    case CURLE_SSL_CONNECT_ERROR:
        return m_cluster->error(Fault::Network, "tls_handshake", words, "If the server speaks plain HTTP, add tls=disable to the URL; only on a network you trust.");
    case CURLE_GOT_NOTHING:
        if (m_cluster->tls == TlsMode::Disable)
            return m_cluster->error(Fault::Network, "connection_closed", words, "If the server requires TLS, add tls=verify-full to the URL.");
        break;
    default: break;
    }
    return m_cluster->error(Fault::Network, "connection", words, {});
}

} // namespace millrace::search
