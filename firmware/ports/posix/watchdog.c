#include "watchdog.h"

#include "console.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
    if (sigaction(SIGVTALRM, &action, NULL) != 0 || timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0 || timer_settime(timer, 0, &each, NULL) != 0) {
        console_say("there is no watchdog, for want of a timer (%s): a call of the module in which no turns of loops are counted may never end", strerror(errno));
    }
}

/* Whoever started the process may have blocked the signal; and when a call was left, the mask is again what it was before the watch began. */
static void let_through(void) {
    sigset_t ticks;
    (void)sigemptyset(&ticks);
    (void)sigaddset(&ticks, SIGVTALRM);
    (void)pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
}

void watchdog_watch(Shell *shell) {
    static bool started;
    watched = shell;
    if (!started) start_timer();
    started = true;
    if (shell) let_through();
}
