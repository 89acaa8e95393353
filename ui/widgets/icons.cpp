#include "ui/widgets/icons.h"
#include <QDir>
#include <QFile>
#include <QHash>
#include <QIconEngine>
#include <QPainter>
#include <QPainterPath>
#include <QPixmapCache>
#include <QStandardPaths>
#include <QSvgRenderer>
#include <cmath>

namespace millrace::ui {
namespace {

const char* const kFolders[] = {"actions", "status", "places", "devices", "apps", "mimetypes", "categories", "preferences", "emblems"};

// Breeze draws for 16, 22, 32 pixels; the nearest drawing not below the wanted size stays sharp
QString findFile(const QString& name, int size)
{
    static const QStringList roots = [] {
        QStringList found;
        for (const QString& dir : QStandardPaths::standardLocations(QStandardPaths::GenericDataLocation))
            if (QDir(dir + QStringLiteral("/icons/breeze/actions")).exists())
                found << dir + QStringLiteral("/icons/breeze/");
        const QString usual = QStringLiteral("/usr/share/icons/breeze/");
        if (!found.contains(usual) && QDir(usual).exists())
            found << usual;
        return found;
    }();
    const std::vector<int> sizes = size <= 16 ? std::vector{16, 22, 32} : size <= 24 ? std::vector{22, 16, 32} : std::vector{32, 22, 48, 16};
    for (const QString& root : roots)
        for (const int s : sizes)
            for (const char* folder : kFolders) {
                const QString path = QStringLiteral("%1%2/%3/%4.svg").arg(root, QLatin1String(folder)).arg(s).arg(name);
                if (QFile::exists(path))
                    return path;
            }
    return {};
}

QByteArray readSvg(const QString& name, int size)
{
    static QHash<QString, QByteArray> known;
    const QString id = name + QLatin1Char('@') + QString::number(size <= 16 ? 16 : size <= 24 ? 22 : 32);
    const auto it = known.constFind(id);
    if (it != known.constEnd())
        return *it;
    QByteArray text;
    QFile file(findFile(name, size));
    if (!file.fileName().isEmpty() && file.open(QIODevice::ReadOnly))
        text = file.readAll();
    known.insert(id, text);
    return text;
}

// These carry a white glyph, so their fill is replaced instead of tinting the whole shape
bool keepsGlyph(const QString& name) { return name.startsWith(QLatin1String("data-")) && name != QLatin1String("data-success"); }

void stroke(QPainter& p, const QColor& c, double width) { p.setPen(QPen(c, width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin)); p.setBrush(Qt::NoBrush); }

// Ours, for machines without the theme: on a 16 x 16 field
void drawFallback(QPainter& p, const QString& name, const QColor& c)
{
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(Qt::NoPen);
    p.setBrush(c);
    const auto is = [&](const char* other) { return name == QLatin1String(other); };
    if (is("media-playback-start")) { p.drawPolygon(QPolygonF{{4, 3}, {13, 8}, {4, 13}}); return; }
    if (is("media-playback-pause")) { p.drawRect(QRectF(4, 3, 3, 10)); p.drawRect(QRectF(9, 3, 3, 10)); return; }
    if (is("media-playback-stop")) { p.drawRect(QRectF(3, 3, 10, 10)); return; }
    if (is("media-record")) { p.drawEllipse(QPointF(8, 8), 5, 5); return; }
    if (is("data-error") || is("data-warning") || is("data-information")) {
        p.drawRoundedRect(QRectF(2, 2, 12, 12), 2, 2);
        stroke(p, Qt::white, 2);
        if (is("data-error")) { p.drawLine(5, 5, 11, 11); p.drawLine(11, 5, 5, 11); }
        else { p.drawLine(QPointF(8, 5), QPointF(8, 8.5)); p.drawPoint(QPointF(8, 11.5)); }
        return;
    }
    stroke(p, c, 1.4);
    if (is("task-process-0")) p.drawEllipse(QPointF(8, 8), 5, 5);
    else if (is("clock") || is("chronometer") || is("view-history")) { p.drawEllipse(QPointF(8, 8), 5.5, 5.5); p.drawPolyline(QPolygonF{{8, 5}, {8, 8}, {10, 9.5}}); }
    else if (is("dialog-ok-apply")) p.drawPolyline(QPolygonF{{3, 8.5}, {6.5, 12}, {13, 4.5}});
    else if (is("view-refresh")) p.drawArc(QRectF(3, 3, 10, 10), 40 * 16, 290 * 16);
    else if (is("list-add")) { p.drawLine(8, 3, 8, 13); p.drawLine(3, 8, 13, 8); }
    else if (is("close") || is("window-close") || is("edit-clear")) { p.drawLine(4, 4, 12, 12); p.drawLine(12, 4, 4, 12); }
    else if (is("edit-find")) { p.drawEllipse(QPointF(7, 7), 4, 4); p.drawLine(10, 10, 13, 13); }
    else if (is("table")) { p.drawRect(QRectF(3, 3, 10, 10)); p.drawLine(3, 7, 13, 7); p.drawLine(7, 3, 7, 13); }
    else if (is("question")) { QFont f = font(FontRole::BodyBold); f.setPixelSize(13); p.setFont(f); p.drawText(QRectF(0, 0, 16, 16), Qt::AlignCenter, QStringLiteral("?")); }
    else p.drawRoundedRect(QRectF(3.5, 3.5, 9, 9), 2, 2);
}

QPixmap render(const QString& name, int size, const QColor& tint, qreal ratio)
{
    const QString key = QStringLiteral("mr/%1/%2/%3/%4").arg(name).arg(size).arg(tint.rgba(), 0, 16).arg(ratio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap))
        return pixmap;
    pixmap = QPixmap(QSize(size, size) * ratio);
    pixmap.fill(Qt::transparent);
    QPainter p(&pixmap);
    QByteArray svg = name == QLatin1String("close") ? QByteArray() : readSvg(name, size);   // Breeze has a filled disc for it
    if (svg.isEmpty()) {
        p.scale(pixmap.width() / 16.0, pixmap.height() / 16.0);
        drawFallback(p, name, tint);
    } else if (keepsGlyph(name)) {
        for (const char* fill : {"#da4453", "#f67400", "#3daee9"})
            svg.replace(fill, tint.name().toLatin1());
        QSvgRenderer(svg).render(&p, QRectF(QPointF(), pixmap.size()));
    } else {
        QSvgRenderer(svg).render(&p, QRectF(QPointF(), pixmap.size()));
        p.setCompositionMode(QPainter::CompositionMode_SourceIn);
        p.fillRect(pixmap.rect(), tint);
    }
    p.end();
    pixmap.setDevicePixelRatio(ratio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

class TintEngine final : public QIconEngine {
public:
    TintEngine(QString name, Role tint) : m_name(std::move(name)), m_tint(tint) {}
    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override
    { paintIcon(*painter, rect, m_name, mode == QIcon::Disabled ? Role::ControlBorder : m_tint); }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State) override
    {
        // the size is in device pixels here; Qt sets the ratio itself
        return render(m_name, std::min(size.width(), size.height()), color(mode == QIcon::Disabled ? Role::ControlBorder : m_tint), 1);
    }
    QIconEngine* clone() const override { return new TintEngine(m_name, m_tint); }
    QString iconName() override { return m_name; }
    bool isNull() override { return false; }
private:
    QString m_name;
    Role m_tint;
};

} // namespace

QIcon icon(const QString& name, Role tint) { return QIcon(new TintEngine(name, tint)); }

QPixmap iconPixmap(const QString& name, int size, Role tint, qreal ratio) { return render(name, size, color(tint), ratio); }

void paintIcon(QPainter& painter, const QRect& where, const QString& name, Role tint, double opacity)
{
    const int size = std::min(where.width(), where.height());
    const QPixmap pixmap = render(name, size, color(tint), painter.device() ? painter.device()->devicePixelRatio() : 1);
    const double before = painter.opacity();
    painter.setOpacity(before * opacity);
    painter.drawPixmap(QRect(where.x() + (where.width() - size) / 2, where.y() + (where.height() - size) / 2, size, size), pixmap);
    painter.setOpacity(before);
}

} // namespace millrace::ui
