#include "watchdog.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* older glibc has the field and no name for it */
#endif

sigjmp_buf watchdog_exit;

static Shell *volatile watched;

static void on_tick(int number) {
    (void)number;
    if (watched && shell_tick(watched)) siglongjmp(watchdog_exit, 1);
}

/* The signal goes to this thread, not to any of the process: a lookup's thread must not jump. */
static void start_timer(void) {
    static const struct itimerspec each = {.it_interval.tv_nsec = WATCHDOG_TICK_MS * 1000000L, .it_value.tv_nsec = WATCHDOG_TICK_MS * 1000000L};
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGVTALRM};
    timer_t timer;
    (void)sigemptyset(&action.sa_mask);
    event.sigev_notify_thread_id = gettid();
    if (sigaction(SIGVTALRM, &action, NULL) != 0 || timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0) return;
    (void)timer_settime(timer, 0, &each, NULL);
}

void watchdog_watch(Shell *shell) {
    static bool started;
    watched = shell;
    if (started) return;
    started = true;
    start_timer();
}
