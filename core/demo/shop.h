#pragma once
#include "core/base/result.h"
#include "core/engine/connection.h"
#include <cstdint>
#include <string>

namespace millrace {

//! The demo shop: customers, addresses, products, orders, order_lines, payments, reviews. The same seed gives the same rows, whatever
//! the day and the database. All times lie in the past (2023 to mid 2025) but for those that the functions below set.
inline constexpr std::uint64_t shopRowsByDefault = 25'000;
inline constexpr std::uint64_t shopSeedByDefault = 20'261'121;

//! Makes the file anew: written beside and moved into place. A file that is there and is no shop of ours is refused.
//! `rows`: of all tables together, from 100 on.
Result<> makeShopSqlite(const std::string& path, std::uint64_t rows = shopRowsByDefault, std::uint64_t seed = shopSeedByDefault);

//! Fills the database named in the URL. Tables of these names that are not the shop's are refused; the shop's own are made anew.
Result<> makeShopMysql(const ConnectionParams& params, std::uint64_t rows = shopRowsByDefault, std::uint64_t seed = shopSeedByDefault);

//! Changes the n-th order (any n) as the shop would: another status, updated_at = now. Returns "orders 123".
Result<std::string> changeRow(const std::string& path, std::uint64_t n);

struct ShopRow { std::string table, key; };
//! Makes one review that no target can take (its text is not valid UTF-8) and sets its updated_at; the row is always the same one.
Result<ShopRow> breakRow(const std::string& path);
//! Mends that row again.
Result<ShopRow> mendRow(const std::string& path);

} // namespace millrace
