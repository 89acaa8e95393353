// The yardstick for reading SQLite: a bare sqlite3_step loop that looks at every cell. sqlitestep FILE TABLE -> "rows seconds".
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <sqlite3.h>
#include <string>

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: sqlitestep FILE TABLE\n");
        return 2;
    }
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    const std::string sql = "SELECT * FROM \"" + std::string(argv[2]) + "\"";
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK || sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
        std::fprintf(stderr, "%s\n", sqlite3_errmsg(db));
        return 1;
    }
    const auto began = std::chrono::steady_clock::now();
    const int columns = sqlite3_column_count(statement);
    std::uint64_t rows = 0, sum = 0;
    int state;
    while ((state = sqlite3_step(statement)) == SQLITE_ROW) {
        ++rows;
        for (int i = 0; i < columns; ++i) {
            switch (sqlite3_column_type(statement, i)) {
            case SQLITE_INTEGER: sum += static_cast<std::uint64_t>(sqlite3_column_int64(statement, i)); break;
            case SQLITE_FLOAT: sum += static_cast<std::uint64_t>(sqlite3_column_double(statement, i)); break;
            case SQLITE_NULL: break;
            default: sum += static_cast<unsigned char>(*static_cast<const char*>(sqlite3_column_blob(statement, i) ? sqlite3_column_blob(statement, i) : ""))
                            + static_cast<std::uint64_t>(sqlite3_column_bytes(statement, i));
            }
        }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::printf("%llu %.6f %llu\n", static_cast<unsigned long long>(rows), seconds, static_cast<unsigned long long>(sum));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return state == SQLITE_DONE ? 0 : 1;
}
