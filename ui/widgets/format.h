#pragma once
#include <QString>
#include <cstdint>
#include <string>

namespace millrace::ui {

inline QString text(const std::string& utf8) { return QString::fromStdString(utf8); }
inline QString text(std::string_view utf8) { return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())); }

//! U+2013: "does not apply". 0 means zero, "unknown" means nobody knows.
QString dash();
QString count(std::uint64_t number);                              //!< "8,412,906"
QString rate(double perSecond);                                   //!< "12,480", never a fraction
QString duration(std::int64_t ms);                                //!< "1.2 s" "38 s" "4 min 12 s" "22 min" "3 h 10 min" "2 d 4 h"
QString bytes(std::uint64_t size);                                //!< "38 MB" "1.1 GB"
QString when(std::int64_t ms, std::int64_t nowMs);                //!< local: "14:32:06" today, "27 Mar, 09:14" else; 0: dash()
QString whenShort(std::int64_t ms, std::int64_t nowMs);             //!< "14:32" today, "27 Mar" else
QString wholeTime(std::int64_t ms);                               //!< local with date, seconds and offset, for tooltips
QString shortLabel(const std::string& label);                      //!< of a connector: without what stands in brackets
QString percent(double fraction);                                 //!< "62 %"
QString milliseconds(double ms);                                  //!< "86 ms", "1.2 s"

} // namespace millrace::ui
