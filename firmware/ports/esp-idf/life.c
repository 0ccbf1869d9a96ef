#include "life.h"

#include "console.h"
#include "console_device.h"
#include "contract.h"
#include "heap.h"
#include "modules.h"
#include "network.h"
#include "times.h"
#include "update.h"
#include "updates.h"
#include "waits.h"
#include "watchdog.h"
#include "wire.h"

#include <stdio.h>

/* How long the farewell may take, the last words before a deep sleep (Wi-Fi and TLS have to come up within), and what is still to be sent at the end. */
#define STOP_MS 5000
#define FLUSH_MS 20000
#define DRAIN_MS 2000

/* How a life ends. */
typedef enum { ENDED, ASLEEP, FAILED, REFUSED, OVERDUE, AT_FAULT } End;

/* What is wanted since the last look. */
typedef struct {
    bool stop;
    bool flush;
    bool restart;
} Wishes;

static int running_slot = -1;
static Wishes wishes;
static void (*tell_board)(bool configured);

int life_slot(void) {
    return running_slot;
}

void life_slot_set(int slot) {
    running_slot = slot;
}

static void hear(void) {
    uint32_t value;
    for (LineWish wish = line_wish(wire_line(), &value); wish != LINE_NOTHING; wish = line_wish(wire_line(), &value)) {
        if (wish == LINE_STOP) wishes.stop = true;
        if (wish == LINE_FLUSH) wishes.flush = true;
        if (wish == LINE_RESTART) wishes.stop = wishes.restart = true;
        if (wish == LINE_CLOCK) times_set(value);
        if (wish == LINE_TELL) tell_board(true);
    }
}

static void say_network(void) {
    char words[160];
    if (network_words(words, sizeof words)) console_say("%s", words);
}

/* Tells the module one thing that became of `link`, if anything did. False when the shell failed. */
static bool tell(Board *board, int32_t link, const struct pollfd *polls, bool *told) {
    LinkNews news = links_news(&board->links, link, polls);
    if (!news.what && news.readable) {
        uint32_t room;
        uint8_t *to = shell_link_buffer(&board->shell, link, &room);
        if (!to) return false;
        int32_t length = links_receive(&board->links, link, to, room, &news.reason);
        *told = length > 0;
        if (length > 0) return shell_link_received(&board->shell, link, (uint32_t)length) == 0;
        if (length < 0) news.what = LINK_CLOSED;
    }
    if (news.what) *told = true;
    return !news.what || shell_link_changed(&board->shell, link, news.what, news.reason) == 0;
}

/* Waits at most `wait` ms, and tells one thing: a step follows each. Each link is looked at first in turn, so that a busy one does not hide the other's news. False
 * when the shell failed. */
static bool wait_and_tell(Board *board, int64_t wait) {
    static int32_t first;
    struct pollfd polls[LINKS_POLLS + 2];
    bool rooms[LINKS] = {false};
    int32_t count = links_count(&board->links);
    for (int32_t link = 0; link < count; link++) {
        uint32_t room;
        if (!shell_link_buffer(&board->shell, link, &room)) return false;
        rooms[link] = room > 0;
    }
    links_wants(&board->links, polls, rooms);
    polls[LINKS_POLLS] = (struct pollfd){.fd = console_device_poll(), .events = POLLIN};
    if (wait > WATCHDOG_WAIT_MS) wait = WATCHDOG_WAIT_MS;
    waits_for(polls, LINKS_POLLS + 1, links_wait(&board->links, rooms, wire_wait(wait)));
    bool told = false;
    for (int32_t i = 0; i < count && !told; i++) {
        int32_t link = (first + i) % count;
        if (!tell(board, link, polls, &told)) return false;
        if (told) first = (link + 1) % count;
    }
    return true;
}

/* Readings that a life brings before a deep sleep: one, or each of reading_1 to reading_8. */
static uint32_t readings_of(const Settings *settings) {
    uint32_t count = 0;
    for (int key = CONFIG_READING_1; key <= CONFIG_READING_8; key++) count += settings->values[key].text != NULL;
    return count ? count : 1;
}

/* The slot's proof and its deadline. False: the module is overdue. */
static bool judge(int64_t began, int64_t now, int64_t *proves_at) {
    if (now >= *proves_at) {
        slots_proved(modules_slots(), running_slot);
        modules_keep();
        *proves_at = now + SLOTS_PROOF_MS;
    }
    return !slots_overdue(modules_slots(), running_slot, (uint32_t)(now - began));
}

/* Until the module has stopped or sleeps. */
static End run(Board *board, Sleep sleep) {
    int64_t began = console_now_ms();
    int64_t end_by = INT64_MAX;
    int64_t proves_at = began + SLOTS_PROOF_MS;
    uint32_t readings = readings_of(&board->settings);
    bool flushing = false;
    for (;;) {
        int64_t now = console_now_ms();
        watchdog_feed();
        if (!judge(began, now, &proves_at)) return OVERDUE;
        int32_t wait = shell_step(&board->shell, (uint32_t)now);
        if (wait == SHELL_FAILED) return FAILED;
        if (board->imports.flushed) return ASLEEP;
        if (board->imports.stopped) return ENDED;
        wire_carry();
        hear();
        say_network();
        if (updates_complete()) wishes.stop = wishes.restart = true;
        if (!flushing && (wishes.flush || (sleep == SLEEP_DEEP && board->readings >= readings))) {
            flushing = true;
            int32_t answer = shell_flush(&board->shell, FLUSH_MS);
            if (answer == SHELL_FAILED) return FAILED;
            if (answer != 0) console_say("this module has no journal, and cannot sleep without loss");
            continue;
        }
        if (end_by == INT64_MAX && wishes.stop) {
            /* Right after a step, so that the module's deadlines start from this moment. */
            end_by = now + STOP_MS;
            if (shell_stop(&board->shell) == SHELL_FAILED) return FAILED;
            continue;
        }
        if (now >= end_by) {
            console_say("ended without a farewell: the broker did not take it");
            return ENDED;
        }
        int64_t left = end_by == INT64_MAX ? wait : end_by - now;
        if (!wait_and_tell(board, left < wait ? left : wait)) return FAILED;
    }
}

/* It is the settings that are at fault: nothing is held against the module, and no other is tried; unless it was deployed just now, and the one before took
 * them. */
static End give_up(Board *board, const char *words) {
    if (slots_on_trial(modules_slots(), running_slot)) {
        (void)snprintf(board->shell.error, sizeof board->shell.error, "%s", words);
        return REFUSED;
    }
    console_say("the module %s", words);
    return AT_FAULT;
}

/* One life of the module in `running_slot`, from its load to its end. */
static End live(Board *board, Sleep sleep) {
    const Slot *module = &modules_slots()->slots[running_slot];
    ShellOptions options = {.module = module->module, .module_bytes = module->bytes, .port = &board_port, .context = board};
    board_begins(&board->imports);
    board->readings = 0;
    slots_started(modules_slots(), running_slot);
    modules_keep();
    if (shell_load(&board->shell, &options) != 0) return REFUSED;
    int32_t started = shell_start(&board->shell);
    if (started == SHELL_FAILED) return FAILED;
    bool journal = board->settings.values[SETTING_JOURNAL].text != NULL;
    if (started != 0) return give_up(board, "does not start with these settings"); /* EVENT_CONFIG_REFUSED said why */
    if (journal && !board->imports.asked_journal) return give_up(board, "keeps no journal; take one whose name ends in -journal");
    uint64_t allocations = heap_allocations();
    console_started(heap_bytes() + shell_static_bytes(&board->shell), shell_memory_bytes(&board->shell), module->bytes, allocations);
    End end = run(board, sleep);
    if (end == ENDED || end == ASLEEP) console_ended(heap_bytes() + shell_static_bytes(&board->shell), heap_allocations() - allocations, 0);
    return end;
}

/* Between two starts of modules that are no good, or when nothing runs: the host is heard, and a module that it deploys is started. */
static void rest(int64_t ms) {
    int64_t until = console_now_ms() + ms;
    for (int64_t now = console_now_ms(); now < until && !wishes.restart; now = console_now_ms()) {
        struct pollfd polls[2] = {{.fd = console_device_poll(), .events = POLLIN}};
        int64_t left = until - now;
        watchdog_feed();
        wire_carry();
        hear();
        say_network();
        if (updates_complete()) wishes.restart = true;
        waits_for(polls, 1, wire_wait(left < WATCHDOG_WAIT_MS ? left : WATCHDOG_WAIT_MS));
    }
}

/* Until the next reading is due: off, and the next start is the board's; or awake where a deep sleep is not worth it, or where nothing of the interval is left. */
static void sleep_between(const Board *board, int64_t began) {
    int64_t interval = settings_number(&board->settings, CONFIG_INTERVAL, 10000);
    int64_t awake = console_now_ms() - began;
    int64_t ms = sleep_ms(interval, awake);
    if (ms == 0) {
        rest(interval - awake);
        return;
    }
    wire_drain(DRAIN_MS);
    sleep_deep(ms);
}

/* What becomes of the module whose life ended. Settings that are at fault are not held against it. */
static void settle(Board *board, End end) {
    const Slots *slots = modules_slots();
    const char *words = end == FAILED || end == REFUSED ? board->shell.error
                        : end == OVERDUE                ? "did not reach its broker in time"
                                                        : UPDATE_ENDED_UNCONNECTED;
    uint8_t before = slots->states[running_slot].fate;
    if (end == FAILED) modules_failed(running_slot, words);
    else if (end == REFUSED || end == OVERDUE) modules_refused(running_slot, words);
    else modules_ended(running_slot, words);
    if (before != SLOT_LEFT && slots->states[running_slot].fate == SLOT_LEFT) updates_leave(running_slot, words);
}

void life_run(Board *board, Remembered *remembered, Sleep sleep, void (*tell_what)(bool configured)) {
    tell_board = tell_what;
    wishes = (Wishes){false, false, false};
    while (!wishes.restart && running_slot >= 0) {
        updates_begins(running_slot);
        rest(slots_wait(modules_slots(), running_slot));
        if (wishes.restart) return;
        int64_t began = console_now_ms();
        remembered->slot = running_slot;
        remembered_keep();
        End end = live(board, sleep);
        for (int32_t link = 0; link < links_count(&board->links); link++) links_close(&board->links, link);
        settle(board, end);
        shell_unload(&board->shell);
        remembered->slot = -1;
        remembered_keep();
        /* In order, or the settings are at fault: nothing runs until the host says so. */
        bool over = end == ENDED || end == AT_FAULT;
        while (over && !wishes.restart) rest(WATCHDOG_WAIT_MS);
        wishes.flush = wishes.stop = false;
        if (end == ASLEEP) sleep_between(board, began);
        running_slot = slots_choose(modules_slots());
    }
}
