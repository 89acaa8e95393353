#pragma once
#include "ui/widgets/theme.h"
#include <QList>
#include <QMetaType>
#include <QString>
#include <QVector>
#include <optional>

namespace millrace::ui {

//! What one cell looks like. Models answer it for CellRole; CellDelegate draws it. Only what is set is drawn, left to right:
//! stripe, check, icon, then by kind text, progress or sparkline; pills after the text; a chevron at the right edge.
enum class CellKind : quint8 { Text, Progress, Spark };

struct PillInfo {
    QString text, icon;
    Role role = Role::Secondary, border = Role::ControlBorder;
    std::optional<Role> tint;                      //!< none: outlined
};

struct CellInfo {
    CellKind kind = CellKind::Text;
    QString text;
    Role role = Role::Text;
    bool bold = false, italic = false, mono = false, right = false;
    QString icon;
    std::optional<Role> iconRole;                  //!< default: `role`
    std::optional<Qt::CheckState> check;           //!< tri-state box; toggled through setData(Qt::CheckStateRole)
    std::optional<Role> tint;                      //!< fills the cell and wins over the selection
    double progress = -1;                          //!< Progress: 0..1; < 0: the text alone, right-aligned
    QVector<float> series;                         //!< Spark: oldest first; empty: the text alone
    Role seriesRole = Role::Running;
    QList<PillInfo> pills;
    bool chevron = false;                          //!< editable in place by a drop-down
    bool faint = false;                            //!< left out, foreign: everything in tertiary
    bool section = false;                          //!< a heading row: small capitals look, no selection needed
};

enum CellDataRole {
    CellRole = Qt::UserRole + 100,                 //!< CellInfo
    StripeRole,                                    //!< int(Role) of the environment stripe at the left edge, column 0; invalid: none
    RowTintRole,                                   //!< int(Role) behind the whole row (job rows: Alternate), column 0; invalid: none
    SortRole,                                      //!< what to sort by
    PlainRole,                                     //!< the unformatted value, for copying
};

} // namespace millrace::ui
Q_DECLARE_METATYPE(millrace::ui::CellInfo)
