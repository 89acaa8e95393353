#include "app/cli/console.h"
#include "core/base/platform.h"
#include <QCoreApplication>
#include <atomic>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

std::atomic<int> lastSignal = 0;
static_assert(std::atomic<int>::is_always_lock_free);

// The first asks for a clean end; whoever insists gets one at once, which a crash-safe engine survives.
extern "C" void onSignal(int number)
{
    if (lastSignal.exchange(number) != 0)
        _exit(128 + number);
}

int terminalWidth()
{
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

} // namespace

int main(int argc, char** argv)
{
    millrace::platform::hardenProcess();
    std::setlocale(LC_ALL, "C.UTF-8");                     // numbers are read and written the same everywhere
    QCoreApplication application(argc, argv);
    QCoreApplication::setApplicationName("millrace");
    struct sigaction action = {};
    action.sa_handler = onSignal;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);                         // a peer that closes its socket is an error, not an end

    const millrace::SystemClock clock;
    millrace::cli::Console console{std::cout, std::cerr, std::cin, clock, millrace::openRuntime};
    console.signal = [] { return lastSignal.load(); };
    console.terminal = isatty(STDERR_FILENO) != 0;
    console.answers = console.terminal && isatty(STDIN_FILENO) != 0;
    const char* noColor = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    console.noColor = (noColor && *noColor) || (term && std::string_view(term) == "dumb");
    console.width = terminalWidth();
    return millrace::cli::runCli({argv + 1, argv + argc}, console);
}
