<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>SourceStep</name>
    <message numerus="yes">
        <source>%n tables and views</source>
        <translation>
            <numerusform>%n table and views</numerusform>
            <numerusform>%n tables and views</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>TablesStep</name>
    <message numerus="yes">
        <source>%n warnings</source>
        <translation>
            <numerusform>%n warning</numerusform>
            <numerusform>%n warnings</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n by hand</source>
        <translation>
            <numerusform>%n by hand</numerusform>
            <numerusform>%n by hand</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n tables</source>
        <translation>
            <numerusform>%n table</numerusform>
            <numerusform>%n tables</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>TargetStep</name>
    <message numerus="yes">
        <source>%n fields</source>
        <translation>
            <numerusform>%n field</numerusform>
            <numerusform>%n fields</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::ConnectionEditor</name>
    <message numerus="yes">
        <source>used by %n sync(s)</source>
        <translation>
            <numerusform>used by %n sync</numerusform>
            <numerusform>used by %n syncs</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::ConnectionsModel</name>
    <message numerus="yes">
        <source>%n finding(s)</source>
        <translation>
            <numerusform>%n finding</numerusform>
            <numerusform>%n findings</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::DetailPane</name>
    <message numerus="yes">
        <source>%n rows</source>
        <translation>
            <numerusform>%n row</numerusform>
            <numerusform>%n rows</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::Importer</name>
    <message numerus="yes">
        <source>%n secret(s) of the file will be kept encrypted in this home.</source>
        <translation>
            <numerusform>%n secret of the file will be kept encrypted in this home.</numerusform>
            <numerusform>%n secrets of the file will be kept encrypted in this home.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::IssuesTab</name>
    <message numerus="yes">
        <source>acts on %n row(s) of this group</source>
        <translation>
            <numerusform>acts on %n row of this group</numerusform>
            <numerusform>acts on %n rows of this group</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>the first of %n</source>
        <translation>
            <numerusform>the first of %n</numerusform>
            <numerusform>the first of %n</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tried %n time(s)</source>
        <translation>
            <numerusform>tried %n time</numerusform>
            <numerusform>tried %n times</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Fix for all %n row(s)</source>
        <translation>
            <numerusform>Fix for all %n row</numerusform>
            <numerusform>Fix for all %n rows</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n row(s) discarded</source>
        <translation>
            <numerusform>%n row discarded</numerusform>
            <numerusform>%n rows discarded</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n row(s) copied as JSON lines.</source>
        <translation>
            <numerusform>%n row copied as JSON lines.</numerusform>
            <numerusform>%n rows copied as JSON lines.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::MainWindow</name>
    <message numerus="yes">
        <source>%1: %2 rows of %n table(s) are in the store, compared with the shop and identical.</source>
        <translation>
            <numerusform>%1: %2 rows of %n table are in the store, compared with the shop and identical.</numerusform>
            <numerusform>%1: %2 rows of %n tables are in the store, compared with the shop and identical.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::OverviewTab</name>
    <message numerus="yes">
        <source>%n row(s) could not be carried and are parked; the rest goes on.</source>
        <translation>
            <numerusform>%n row could not be carried and are parked; the rest goes on.</numerusform>
            <numerusform>%n rows could not be carried and are parked; the rest goes on.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n rows selected: </source>
        <translation>
            <numerusform>%n row selected: </numerusform>
            <numerusform>%n rows selected: </numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Dry run: %1 rows of %n table(s) in %2; nothing was written</source>
        <translation>
            <numerusform>Dry run: %1 rows of %n table in %2; nothing was written</numerusform>
            <numerusform>Dry run: %1 rows of %n tables in %2; nothing was written</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::RailItem</name>
    <message numerus="yes">
        <source>%n need attention</source>
        <translation>
            <numerusform>%n need attention</numerusform>
            <numerusform>%n need attention</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::StatusStrip</name>
    <message numerus="yes">
        <source>%n row(s) failed</source>
        <translation>
            <numerusform>%n row failed</numerusform>
            <numerusform>%n rows failed</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n connection(s)</source>
        <translation>
            <numerusform>%n connection</numerusform>
            <numerusform>%n connections</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n connection(s) healthy</source>
        <translation>
            <numerusform>%1 of %n connection healthy</numerusform>
            <numerusform>%1 of %n connections healthy</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::SyncsPage</name>
    <message numerus="yes">
        <source>%n tables</source>
        <translation>
            <numerusform>%n table</numerusform>
            <numerusform>%n tables</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n syncs</source>
        <translation>
            <numerusform>%n sync</numerusform>
            <numerusform>%n syncs</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %2 rows of %n table(s) compared, identical.</source>
        <translation>
            <numerusform>%1: %2 rows of %n table compared, identical.</numerusform>
            <numerusform>%1: %2 rows of %n tables compared, identical.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::TablesModel</name>
    <message numerus="yes">
        <source>%n tables</source>
        <translation>
            <numerusform>%n table</numerusform>
            <numerusform>%n tables</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>, %n views</source>
        <translation>
            <numerusform>, %n view</numerusform>
            <numerusform>, %n views</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>millrace::ui::TestPane</name>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n warning</numerusform>
            <numerusform>%n warnings</numerusform>
        </translation>
    </message>
</context>
</TS>
