#pragma once
#include <array>
#include <string_view>

namespace millrace::shop {

// People of many scripts: what an importer that knows only ASCII gets wrong shows at once.
struct People { std::string_view given[6], family[6], city[3]; std::string_view country; };
inline constexpr People people[] = {
    {{"Emma", "Lukas", "Jürgen", "Zoë", "Björn", "Käthe"}, {"Müller", "Weiß", "Schröder", "Groß", "Köhler", "Özdemir"}, {"Köln", "München", "Düsseldorf"}, "DE"},
    {{"Chloé", "Éloïse", "François", "Noël", "Inès", "Théo"}, {"Lefèvre", "Dubois", "Béranger", "D'Aubigné", "Garçon", "Forêt"}, {"Besançon", "Orléans", "Nîmes"}, "FR"},
    {{"María", "José", "Íñigo", "Begoña", "Ramón", "Lucía"}, {"Núñez", "Ibáñez", "Peña", "Gómez", "Muñoz", "Zúñiga"}, {"A Coruña", "Málaga", "Logroño"}, "ES"},
    {{"Łukasz", "Żaneta", "Grażyna", "Michał", "Zofia", "Świętosław"}, {"Wójcik", "Dąbrowski", "Łęcki", "Żak", "Kowalczyk", "Woźniak"}, {"Łódź", "Kraków", "Gdańsk"}, "PL"},
    {{"Анна", "Дмитрий", "Ёлка", "Сергей", "Наталья", "Фёдор"}, {"Иванова", "Щукин", "Королёв", "Чайковский", "Юдина", "Эйзен"}, {"Киров", "Тверь", "Орёл"}, "KZ"},
    {{"Ελένη", "Γιώργος", "Άννα", "Νίκος", "Σοφία", "Θανάσης"}, {"Παπαδόπουλος", "Χατζής", "Ψαρρά", "Ωνάσης", "Δημητρίου", "Ξένου"}, {"Αθήνα", "Πάτρα", "Χανιά"}, "GR"},
    {{"अनन्या", "आरव", "इशिता", "रोहन", "सौम्या", "विवान"}, {"शर्मा", "त्रिपाठी", "अय्यर", "मुखर्जी", "पाटील", "श्रीवास्तव"}, {"मुंबई", "दिल्ली", "पुणे"}, "IN"},
    {{"伟", "芳", "秀英", "子涵", "宇轩", "欣怡"}, {"王", "李", "欧阳", "赵", "司马", "陈"}, {"北京", "上海", "成都"}, "CN"},
    {{"さくら", "陽翔", "結衣", "蓮", "ひなた", "大翔"}, {"佐藤", "鈴木", "髙橋", "渡邉", "小林", "山﨑"}, {"東京", "大阪", "京都"}, "JP"},
    {{"민준", "서연", "도윤", "지우", "하은", "예준"}, {"김", "이", "박", "최", "정", "남궁"}, {"서울", "부산", "제주"}, "KR"},
    {{"فاطمة", "محمد", "ليلى", "يوسف", "نور", "عمر"}, {"الحسن", "العلي", "حداد", "خوري", "نصّار", "القاسم"}, {"القاهرة", "بيروت", "الرباط"}, "EG"},
    {{"נועה", "איתי", "תמר", "אורי", "יעל", "דוד"}, {"כהן", "לוי", "מזרחי", "פרץ", "ביטון", "אברהם"}, {"חיפה", "אילת", "עכו"}, "IL"},
    {{"Nguyễn Thị", "Đặng", "Trần", "Phạm", "Hoàng", "Vũ"}, {"Ánh", "Đức", "Quỳnh", "Thủy", "Ngọc", "Hưng"}, {"Hà Nội", "Huế", "Đà Nẵng"}, "VN"},
    {{"Mary", "O'Neil", "Siobhán", "Liam", "Grace", "Jean-Luc"}, {"Smith", "O'Brien", "MacLeod", "van der Berg", "St. John", "\"Quote\" Jones"}, {"Dublin", "Galway", "Cork"}, "IE"}};

inline constexpr std::string_view streets[] = {"Hauptstraße", "Rue de l'Église", "Calle Mayor", "ulica Długa", "Main Street", "Οδός Ερμού", "中山路", "M.G. Road", "şehir Caddesi", "Åsgatan"};
inline constexpr std::string_view things[] = {"Kettle", "Lantern", "Backpack", "Teapot", "Notebook", "Chair", "Bicycle bell", "Blanket", "Umbrella", "Compass", "Fountain pen", "Desk lamp"};
inline constexpr std::string_view kinds[] = {"Classic", "Café", "Señorita", "Größe XL", "Mini", "№ 5", "Pro™", "東京", "Ünique", "Eco ♻"};
inline constexpr std::string_view colors[] = {"red", "blau", "vert", "желтый", "黒", "white"};
inline constexpr std::string_view statuses[] = {"new", "paid", "packed", "shipped", "delivered", "returned"};
inline constexpr std::string_view methods[] = {"card", "transfer", "invoice", "cash", "gift card"};
inline constexpr std::string_view titles[] = {"Wonderful 😀", "Not bad", "Très bien 👍", "Nie wieder!", "とても良い", "Хорошо", "Muy útil ✨", "बहुत अच्छा", "جيد جدا", "Broken on arrival 💔"};
inline constexpr std::string_view sentences[] = {
    "It arrived in two days and works as described.", "Die Farbe ist schöner als auf dem Bild.", "Un peu petit, mais très solide.", "The lid\tdoes not close; support answered \"soon\".",
    "買ってよかったです。", "Доставка заняла неделю.", "👩‍👩‍👧‍👦 loved by the whole family", "बच्चों को बहुत पसंद आया।", "Path C:\\temp\\new is not what I ordered.", "First line\nsecond line"};

} // namespace millrace::shop
