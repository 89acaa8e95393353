#!/usr/bin/env bash
# opensearch.sh [2.19.4 | 3.4.0] [plain | security]: prints the home of a real OpenSearch, put together once from its published jars by
# Maven and kept under $MILLRACE_TEST_CACHE (default: build/services). 2.19.4 runs on Java 17 and later, 3.4.0 on Java 21 and later.
# With security: TLS and the users of the plugin's demo (admin / admin). Exit 77 with the reason on stderr when it cannot be had.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
version=${1:-2.19.4} kind=${2:-plain}
case $version in
    2.19.4) loader=2.19.1 main=Plugin ;;              # there is no plugin-classloader of 2.19.4; its one class did not change
    3.4.0) loader=3.4.0 main=ModulePlugin ;;
    *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac
skip() { echo "OpenSearch $version: $*" >&2; exit 77; }

mkdir -p "${MILLRACE_TEST_CACHE:-build/services}"
cache=$(readlink -f "${MILLRACE_TEST_CACHE:-build/services}")
home=$cache/opensearch-$version-$kind
exec 9> "$cache/opensearch.lock"
flock 9                                                # two tests may ask at once
[ ! -d "$home" ] || { echo "$home"; exit 0; }
command -v mvn > /dev/null || skip "maven is not installed"
work=$(mktemp -d "$cache/opensearch-XXXXXX")
trap 'rm -rf "$work"' EXIT

dependency() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }
{
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo '<groupId>millrace.tests</groupId><artifactId>opensearch</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
    dependency org.opensearch opensearch "$version"
    dependency org.opensearch opensearch-plugin-classloader $loader
    for module in transport-netty4-client reindex-client lang-painless mapper-extras-client analysis-common; do
        dependency org.opensearch.plugin $module "$version"
    done
    dependency org.apache.logging.log4j log4j-core 2.21.0
    if [ "$version" = 3.4.0 ]; then
        dependency org.opensearch opensearch-agent-bootstrap "$version"
        dependency org.apache.commons commons-collections4 4.4          # the security plugin takes it from a plugin that is not published
    fi
    echo '</dependencies></project>'
} > "$work/pom.xml"
plugin=org.apache.maven.plugins:maven-dependency-plugin:3.6.1
mvn -B -q -f "$work/pom.xml" $plugin:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$work/home/lib" > "$work/log" 2>&1 \
    || skip "its jars cannot be fetched: $(tail -n 1 "$work/log")"
if [ "$kind" = security ]; then
    mvn -B -q -f "$work/pom.xml" $plugin:unpack -Dartifact=org.opensearch.plugin:opensearch-security:"$version".0:zip \
        -DoutputDirectory="$work/home/plugins/opensearch-security" > "$work/log" 2>&1 || skip "the security plugin cannot be fetched: $(tail -n 1 "$work/log")"
fi

cd "$work/home"
mkdir -p config plugins modules
# module NAME CLASS JARS...: what a packaged OpenSearch has as a folder with a descriptor
module() {
    local name=$1 class=$2 jars
    shift 2
    mkdir "modules/$name"
    for jars in "$@"; do find lib -name "$jars" -exec mv {} "modules/$name/" \;; done
    printf '%s\n' "name=$name" "description=$name" "version=$version" "opensearch.version=$version" java.version=11 "classname=$class" \
        > "modules/$name/plugin-descriptor.properties"
    echo 'grant { permission java.security.AllPermission; };' > "modules/$name/plugin-security.policy"
}
module transport-netty4 org.opensearch.transport.Netty4$main 'transport-netty4-client-*' 'netty-*' 'opensearch-netty4-*'
module lang-painless org.opensearch.painless.Painless$main 'lang-painless-*' 'antlr4-runtime-*' 'asm-*' 'opensearch-scripting-painless-spi-*'
module reindex org.opensearch.index.reindex.Reindex$main 'reindex-client-*' 'opensearch-rest-client-*' 'opensearch-ssl-config-*' 'http*' 'commons-logging-*' \
    'commons-codec-*' 'slf4j-api-*'
module mapper-extras org.opensearch.index.mapper.MapperExtras$main 'mapper-extras-client-*'
module analysis-common org.opensearch.analysis.common.CommonAnalysis$main 'analysis-common-*'
printf '%s\n' 'status = error' 'appender.console.type = Console' 'appender.console.name = console' 'appender.console.layout.type = PatternLayout' \
    'appender.console.layout.pattern = [%d{ISO8601}][%-5p] %m%n' 'rootLogger.level = info' 'rootLogger.appenderRef.console.ref = console' > config/log4j2.properties
: > config/opensearch.yml
if [ "$kind" = security ]; then
    sed -i 's/^extended.plugins=.*/extended.plugins=/' plugins/opensearch-security/plugin-descriptor.properties
    mkdir config/opensearch-security
    cp plugins/opensearch-security/config/*.yml config/opensearch-security/
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out config/node.crt -days 3650 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2> "$work/log" || skip "openssl makes no certificate: $(tail -n 1 "$work/log")"
    openssl pkcs8 -topk8 -nocrypt -in "$work/key.pem" -out config/node.key
    for layer in transport http; do
        printf '%s\n' "plugins.security.ssl.$layer.pemkey_filepath: node.key" "plugins.security.ssl.$layer.pemcert_filepath: node.crt" \
            "plugins.security.ssl.$layer.pemtrustedcas_filepath: node.crt"
    done > config/opensearch.yml
    printf '%s\n' 'plugins.security.ssl.transport.enforce_hostname_verification: false' 'plugins.security.ssl.http.enabled: true' \
        'plugins.security.nodes_dn: ["CN=localhost"]' 'plugins.security.authcz.admin_dn: ["CN=admin"]' \
        'plugins.security.allow_default_init_securityindex: true' 'plugins.security.restapi.roles_enabled: ["all_access"]' >> config/opensearch.yml
fi
cd "$cache"
mv "$work/home" "$home"
echo "$home"
