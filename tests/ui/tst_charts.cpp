#include "tests/ui/uisupport.h"
#include "ui/charts/chartspane.h"
#include "ui/charts/plot.h"
#include <QChart>
#include <QLineSeries>
#include <QTest>

using namespace millrace;
using namespace millrace::test;

class Charts : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { theme(); }
    void niceTops_data();
    void niceTops();
    void noDataIsAGap();
    void zeroIsOnTheAxis();
    void onlyWhileVisible();
    void oneCrosshair();
};

void Charts::niceTops_data()
{
    QTest::addColumn<double>("largest");
    QTest::addColumn<double>("top");
    QTest::newRow("zero") << 0.0 << 1.0;
    QTest::newRow("one") << 1.0 << 1.2;
    QTest::newRow("thousands") << 14'300.0 << 15'000.0;
    QTest::newRow("just above") << 6'100.0 << 9'000.0;
    QTest::newRow("fractions") << 0.031 << 0.045;
}

void Charts::niceTops()
{
    QFETCH(double, largest);
    QFETCH(double, top);
    QVERIFY(std::abs(ui::Plot::niceTop(largest) - top) < top * 1e-9);
    QVERIFY(ui::Plot::niceTop(largest) >= largest);
}

void Charts::noDataIsAGap()
{
    ui::Plot plot(QStringLiteral("Rows"), [](double v) { return QString::number(v); });
    plot.setRange(0, 100'000, 5'000);
    ui::PlotLine line;
    for (const double at : {1'000.0, 2'000.0, 3'000.0, 30'000.0, 31'000.0, 90'000.0})
        line.points.append(QPointF(at, 10));
    plot.setLines({line});
    const auto series = plot.chart()->series();
    QCOMPARE(series.size(), 2);                                   // two lines, and the lone point is a dot
    QCOMPARE(static_cast<QLineSeries*>(series[0])->count(), 3);
    QCOMPARE(static_cast<QLineSeries*>(series[1])->count(), 2);
}

void Charts::zeroIsOnTheAxis()
{
    ui::Plot plot(QStringLiteral("Rows"), [](double v) { return QString::number(v); });
    plot.setRange(0, 10'000, 5'000);
    ui::PlotLine line;
    line.points = {QPointF(1'000, 900), QPointF(2'000, 1'000)};
    plot.setLines({line});
    QVERIFY(plot.top() >= 1'000 && plot.top() <= 1'500);
    plot.setThreshold(30'000);                                    // a threshold stays in sight
    plot.setLines({line});
    QVERIFY(plot.top() >= 30'000);
}

void Charts::onlyWhileVisible()
{
    FakeEngine engine(busyWorld());
    ui::EngineCalls calls(engine);
    QWidget window;
    ui::ChartsPane pane(calls, &window);
    window.resize(900, 400);
    pane.setSubject("shop", "customer_order");
    pane.sample(*engine.snapshot());
    window.hide();
    QCOMPARE(engine.count("metrics"), std::size_t(0));
    window.show();
    QTRY_COMPARE(engine.count("metrics"), std::size_t(1));
    QTRY_COMPARE(calls.running(), 0);
    pane.setSubject("shop", "film");
    QTRY_COMPARE(engine.lastArgument("metrics"), std::string("shop film"));
    QTRY_COMPARE(calls.running(), 0);
    QCOMPARE(callsOnWindowThread(engine), QStringList());
}

void Charts::oneCrosshair()
{
    FakeEngine engine(busyWorld());
    ui::EngineCalls calls(engine);
    QWidget window;
    auto* pane = new ui::ChartsPane(calls, &window);
    window.resize(900, 400);
    pane->resize(900, 400);
    pane->setSubject("shop", {});
    pane->sample(*engine.snapshot());
    window.show();
    QTRY_COMPARE(calls.running(), 0);
    const auto plots = pane->findChildren<ui::Plot*>();
    QCOMPARE(plots.size(), 4);
    const QImage before = plots[3]->grab().toImage();
    emit plots[0]->hovered(double(engine.snapshot()->takenMs - 1'800'000));
    QVERIFY(plots[3]->grab().toImage() != before);                // the others follow
    emit plots[0]->hovered(std::nullopt);
    QVERIFY(plots[3]->grab().toImage() == before);
}

QTEST_MAIN(Charts)
#include "tst_charts.moc"
