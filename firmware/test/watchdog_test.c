/* The posix board's watchdog: it comes though whoever started the process blocked its signal, and says so when there is none. */
#include "check.h"
#include "console.h"
#include "watchdog.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Processor time that a call may take at most, several times that of a tick. */
#define PATIENCE_S 5

static int said;

void console_say(const char *format, ...) {
    (void)format;
    said++;
}

/* Each tick leaves the call. */
bool shell_tick(Shell *shell) {
    (void)shell;
    return true;
}

static Shell shell;

/* Whether the watchdog leaves a call that does not end. */
static bool leaves(void) {
    if (sigsetjmp(watchdog_exit, 1) != 0) {
        watchdog_watch(NULL);
        return true;
    }
    watchdog_watch(&shell);
    clock_t until = clock() + PATIENCE_S * CLOCKS_PER_SEC;
    while (clock() < until) {
    }
    return false;
}

static void test_blocked(void) {
    check_begin("a call that does not end is left, the second time, too, though the signal was blocked at start");
    sigset_t ticks;
    (void)sigemptyset(&ticks);
    (void)sigaddset(&ticks, SIGVTALRM);
    CHECK(sigprocmask(SIG_BLOCK, &ticks, NULL) == 0, "cannot block");
    for (int i = 0; i < 2; i++) CHECK(leaves(), "no tick in %d s, call %d", PATIENCE_S, i);
    CHECK(said == 0, "%d lines", said);
    check_end();
}

/* In a process of its own, whose limit of timers is 0. */
static int words_without_timers(void) {
    static const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_SIGPENDING, &none) != 0) return -1;
    for (int i = 0; i < 3; i++) watchdog_watch(&shell);
    return said;
}

static void test_none(void) {
    check_begin("without a timer there is no watchdog, and one line says so");
    pid_t child = fork();
    if (child == 0) _exit(words_without_timers());
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status), "status %d", status);
    CHECK(WEXITSTATUS(status) == 1, "%d lines", WEXITSTATUS(status));
    check_end();
}

int main(void) {
    test_none();
    test_blocked();
    return CHECK_STATUS();
}
