#pragma once
#include "ui/shell/page.h"
#include <QDialog>

class QLabel;
class QPushButton;
class QStandardItemModel;

namespace millrace::ui {

class Banner;
class DataTree;
class Stripe;

//! What a sync file or .env would add or change, before it does. Nothing is saved until Apply.
class Importer : public QDialog {
    Q_OBJECT
public:
    Importer(const Context& context, QWidget* parent);
    void openFile(const QString& path);                               //!< empty: asks for one
    QPushButton* applyButton() const { return m_apply; }
    DataTree* list() const { return m_list; }
    Banner* banner() const { return m_banner; }
private:
    struct Preview { SyncFile file; std::map<std::string, Secret> typed; ApplyReport report; };
    void read(const QString& path);
    void showPreview(Preview preview);
    void apply();
    void say(const QString& words);
    const Context& m_context;
    Stripe* m_stripe;
    Banner* m_banner;
    DataTree* m_list;
    QStandardItemModel* m_model;
    QLabel *m_path, *m_sum, *m_notes;
    QPushButton *m_apply, *m_cancel;
    Preview m_preview;
};

void openImporter(const Context& context, QWidget* parent, const QString& path);

} // namespace millrace::ui
