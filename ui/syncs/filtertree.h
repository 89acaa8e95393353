#pragma once
#include "ui/syncs/syncfilter.h"
#include "ui/widgets/datatree.h"
#include <map>

class QStandardItem;
class QStandardItemModel;

namespace millrace::ui {

//! Status, Source, Target, Tag with live counts of tables. A click picks one, Ctrl+click adds; All lets everything pass.
class FilterTree : public DataTree {
    Q_OBJECT
public:
    explicit FilterTree(QSettings* settings, QWidget* parent = nullptr);
    void apply(const EngineSnapshot& snapshot);
    void clearPicks();
    FilterPicks picks() const;
    int countOf(millrace::State state) const;                               //!< as shown
signals:
    void picked(const millrace::ui::FilterPicks& picks);
private:
    enum Section : int { Status, Source, Target, Tag, SectionCount };
    void show(Section section, const QString& key, const QString& words, const QString& icon, int iconRole, int count, int at);
    void follow(Section section, const std::map<std::string, int>& counts, const QString& icon, const std::map<std::string, QString>& icons);
    QStandardItemModel* m_items;
    QStandardItem* m_sections[SectionCount] = {};
    bool m_quiet = false;
};

} // namespace millrace::ui
