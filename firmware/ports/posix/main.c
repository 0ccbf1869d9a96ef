/* The posix board: one module in the shell, as a Linux process. Waits in ppoll(2) for the links, a signal, or the time that step
 * asked for; with a console, for its host, too. Nothing is allocated after the start but what libc's name resolution takes and gives back, and no loop goes on without one of the three. */

#include "board.h"
#include "buses.h"
#include "console.h"
#include "contract.h"
#include "heap.h"
#include "host_line.h"
#include "i2c.h"
#include "links.h"
#include "modules.h"
#include "options.h"
#include "output.h"
#include "provisioning.h"
#include "shell.h"
#include "storage.h"
#include "thermometer.h"
#include "update_line.h"
#include "update_none.h"
#include "watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* How long the farewell may take before the board ends without it. */
#define STOP_MS 5000

/* How long the last words before a deep sleep may take. */
#define FLUSH_MS 5000

/* How long what the host is told before a restart may be on its way. */
#define DRAIN_MS 2000

typedef struct {
    SimulatedBoard base; /* first: simulated/buses.h */
    Settings settings;
    Shell shell;
    Links links;
    Thermometer thermometer;
    int i2c; /* the file of an I2C adapter, below 0 without one */
    Storage storage;
    Modules modules;
    bool began;           /* a module did */
    uint64_t allocations; /* when it began */
    char address[300]; /* of the broker, for messages */
    int32_t first;     /* the link that is looked at first: each in turn, so that a busy one does not hide the other's news */
    bool asked_update; /* without a place for new modules */
    int number;        /* the module that runs, by modules.h */
    bool configured;   /* the settings are such that a module may start */
    char **arguments;  /* of the command line */
} Board;

/* How a life of a module ends but by an exit status. */
enum { FAILED = -1, REFUSED = -2, OVERDUE = -3, UPDATED = -4 };

static volatile sig_atomic_t signals;
static volatile sig_atomic_t sleeps; /* deep sleep comes, and nobody has heard of it yet */

static void on_signal(int number) {
    if (number == SIGUSR1) sleeps = 1;
    else signals = signals + 1;
}

/* What it is, for whoever is at the console. */
static void describe(Board *board) {
    bool is_deployed = board->number >= MODULES_DEPLOYED;
    const char *module = is_deployed ? modules_name(&board->modules, board->number) : board->settings.values[SETTING_MODULE].text;
    uint32_t version = is_deployed ? modules_slot(&board->modules, board->number)->version : 0;
    console_board(&(ConsoleBoard){.board = "posix", .chip = "linux", .module = module ? module : "", .version = version, .settings = board->configured});
}

/* A reset: the same process begins anew. Nobody says goodbye for it, as with a chip. */
static void restart(const Board *board) {
    host_line_drain(DRAIN_MS);
    (void)execv("/proc/self/exe", board->arguments);
    console_say("the board cannot restart itself: %s", strerror(errno));
    signals = signals + 1;
}

/* What the host at the console wants since the last look. */
static void hear(Board *board) {
    Line *line = host_line();
    uint32_t value;
    for (LineWish wish; line && (wish = line_wish(line, &value)) != LINE_NOTHING;) {
        if (wish == LINE_STOP) signals = signals + 1;
        if (wish == LINE_FLUSH) sleeps = 1;
        if (wish == LINE_TELL) describe(board);
        if (wish == LINE_TELL && !board->configured) console_unconfigured();
        if (wish == LINE_RESTART) restart(board);
    }
}

static void say_words(Board *board) {
    const char *words = links_words(&board->links);
    if (words) console_say("%s", words);
}

/* The broker that is connected to, for messages. */
static void name_server(Board *board) {
    const Server *server = links_server(&board->links);
    if (board->links.carrier == CARRIER_LINE_STREAM || board->links.carrier == CARRIER_LINE_DATAGRAMS) {
        (void)snprintf(board->address, sizeof board->address, "the other end of the line");
    } else if (board->links.carrier == CARRIER_SERIAL) (void)snprintf(board->address, sizeof board->address, "%s", server->path);
    else (void)snprintf(board->address, sizeof board->address, strchr(server->host, ':') ? "[%s]:%s" : "%s:%s", server->host, server->port);
}

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    Board *board = context;
    int32_t answer = links_open(&board->links, link, choice, console_now_ms());
    name_server(board);
    say_words(board);
    return answer;
}

static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    Board *board = context;
    return links_send(&board->links, link, data, length);
}

static void link_close(void *context, int32_t link) {
    Board *board = context;
    links_close(&board->links, link, console_now_ms());
    say_words(board);
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    Board *board = context;
    return links_remember(&board->links, slot, address, length);
}

static int32_t random_bits(void *context) {
    (void)context;
    int32_t bits = 0;
    while (getrandom(&bits, sizeof bits, 0) < 0 && errno == EINTR) {
    }
    return bits;
}

static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) {
    Board *board = context;
    return storage_write(&board->storage, key, data, length);
}

static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    Board *board = context;
    return storage_read(&board->storage, key, to, capacity);
}

static int32_t unix_time(void *context) {
    (void)context;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return board_unix_time(now.tv_sec);
}

static int32_t i2c_transfer(void *context, int32_t address, const uint8_t *write, int32_t write_length, uint8_t *read, int32_t read_length) {
    Board *board = context;
    if (board->i2c < 0) return simulated_i2c_transfer(context, address, write, write_length, read, read_length);
    return i2c_carry(board->i2c, address, write, write_length, read, read_length);
}

static void event(void *context, int32_t code, int32_t a, int32_t b) {
    Board *board = context;
    board_event(context, code, a, b);
    if (code == EVENT_CONNECTED) modules_connected(&board->modules, board->number);
}

static int32_t take_update(void *context, const uint8_t *payload, int32_t length) {
    Board *board = context;
    return board->modules.deployed.path ? update_take(&board->modules.deployed.update, payload, length) : update_none_take(&board->asked_update, length);
}

static int32_t answer_update(void *context, uint8_t *to, int32_t capacity) {
    Board *board = context;
    return board->modules.deployed.path ? update_answer(&board->modules.deployed.update, to, capacity)
                                        : update_none_answer(&board->asked_update, "this board takes no new modules: it was started without modules = FILE", to, capacity);
}

static const Port port = {
    .link_open = link_open,
    .link_send = link_send,
    .link_close = link_close,
    .remember_gateway = remember_gateway,
    .random = random_bits,
    .config_text = board_config_text,
    .config_number = board_config_number,
    .store_write = store_write,
    .store_read = store_read,
    .unix_time = unix_time,
    .temperature = simulated_temperature,
    .event = event,
    .i2c_transfer = i2c_transfer,
    .onewire_transfer = simulated_onewire_transfer,
    .onewire_triplet = simulated_onewire_triplet,
    .adc_read = simulated_adc_read,
    .humidity = simulated_humidity,
    .update_take = take_update,
    .update_answer = answer_update,
};

/* The buses that the settings name: an I2C adapter of the machine, the others are simulated. */
static bool open_buses(Board *board) {
    int key = simulated_open(&board->base.buses, &board->settings);
    board->i2c = -1;
    if (key == SETTING_I2C) {
        const char *path = board->settings.values[SETTING_I2C].text;
        board->i2c = i2c_open(path);
        if (board->i2c < 0) {
            console_say("i2c: %s is no I2C bus that can be opened: %s; take /dev/i2c-N, after modprobe i2c-dev, or simulated", path, strerror(errno));
            return false;
        }
        static const Setting none;
        Settings *settings = &board->settings;
        Setting i2c = settings->values[SETTING_I2C];
        settings->values[SETTING_I2C] = none; /* what the others are */
        key = simulated_open(&board->base.buses, settings);
        settings->values[SETTING_I2C] = i2c;
    }
    if (key) console_say("%s: this board has no pins; take simulated", settings_key(key));
    return !key;
}

static void say_of_storage(const char *words) {
    console_say("journal: %s", words);
}

static bool open_storage(Board *board) {
    const char *path = board->settings.values[SETTING_JOURNAL].text;
    if (!path || storage_open(&board->storage, path, say_of_storage)) return true;
    say_of_storage(board->storage.error);
    return false;
}

/* Of an executable with modules compiled in: which these are. */
static void name_modules(void) {
    char names[240] = "";
    for (size_t i = 0; engine_compiled(i); i++) {
        size_t length = strlen(names);
        (void)snprintf(names + length, sizeof names - length, "%s%s", i ? ", " : "", engine_compiled(i));
    }
    console_say("module: this board has %s compiled in; a board with wasm3 takes any module from its file", names);
}

/* Tells the module one thing that became of `link`, if anything did. False when the shell failed. */
static bool tell(Board *board, int32_t link, const struct pollfd *polls, bool *told) {
    LinkNews news = links_news(&board->links, link, polls, console_now_ms());
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

/* Waits at most `wait` ms, and tells one thing: a step follows each. False when the shell failed. */
static bool wait_and_tell(Board *board, int64_t wait, const sigset_t *signals_open) {
    struct pollfd polls[LINKS_POLLS + 1];
    bool rooms[LINKS] = {false};
    int32_t count = links_count(&board->links);
    for (int32_t link = 0; link < count; link++) {
        uint32_t room;
        if (!shell_link_buffer(&board->shell, link, &room)) return false;
        rooms[link] = room > 0;
    }
    links_wants(&board->links, polls, rooms);
    host_line_wants(&polls[LINKS_POLLS]);
    wait = host_line_wait(links_wait(&board->links, rooms, wait));
    struct timespec time = {.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};
    if (ppoll(polls, LINKS_POLLS + 1, &time, signals_open) < 0) return true; /* a signal: the caller looks */
    host_line_carry();
    bool told = false;
    for (int32_t i = 0; i < count && !told; i++) {
        int32_t link = (board->first + i) % count;
        if (!tell(board, link, polls, &told)) return false;
        if (told) board->first = (link + 1) % count;
    }
    say_words(board);
    return true;
}

/* Until the module has stopped. 0, 1 without a farewell, UPDATED with another to start, OVERDUE, or FAILED. */
static int run(Board *board, const sigset_t *signals_open) {
    int64_t end_by = INT64_MAX;
    int64_t started = console_now_ms();
    for (;;) {
        int64_t now = console_now_ms();
        int32_t answer = shell_step(&board->shell, (uint32_t)now);
        int64_t wait = answer;
        if (answer == SHELL_FAILED) return FAILED;
        if (!modules_ran(&board->modules, board->number, now - started, &wait)) return OVERDUE;
        bool updated = modules_updated(&board->modules);
        if (board->base.imports.stopped || board->base.imports.flushed) return updated && !signals ? UPDATED : 0;
        host_line_carry();
        hear(board);
        if (sleeps) {
            sleeps = 0;
            answer = shell_flush(&board->shell, FLUSH_MS);
            if (answer == SHELL_FAILED) return FAILED;
            if (answer != 0) console_say("deep sleep: this module has no journal, and cannot sleep without loss; SIGTERM ends it in order");
            continue;
        }
        if (end_by == INT64_MAX && (signals || updated || output_gone())) {
            /* Right after a step, so that the module's deadlines start from this moment. */
            end_by = now + STOP_MS;
            if (shell_stop(&board->shell) == SHELL_FAILED) return FAILED;
            if (board->base.imports.stopped) return updated && !signals ? UPDATED : 0;
            continue;
        }
        if (now >= end_by && updated && !signals) return UPDATED;
        if (now >= end_by || signals > 1) {
            console_say("ended without a farewell: the broker did not take it");
            return 1;
        }
        int64_t left = end_by == INT64_MAX ? wait : end_by - now;
        if (!wait_and_tell(board, left < wait ? left : wait, signals_open)) return FAILED;
    }
}

/* It is the settings that are at fault: nothing is held against the module, and no other is tried; unless it was deployed just now, and the one before
 * took them. */
static int give_up(Board *board, const char *words) {
    if (modules_on_trial(&board->modules, board->number)) {
        (void)snprintf(board->shell.error, sizeof board->shell.error, "%s", words);
        return REFUSED;
    }
    console_say("%s: %s", modules_name(&board->modules, board->number), words);
    board->configured = false;
    return 1;
}

/* One life of a module, from its load to its end: as run(), or REFUSED when it did not begin. */
static int live(Board *board, const sigset_t *signals_open) {
    const Slot *module = modules_slot(&board->modules, board->number);
    ShellOptions options = {.name = modules_name(&board->modules, board->number), .module = module->module, .module_bytes = module->bytes, .port = &port, .context = board};
    if (sigsetjmp(watchdog_exit, 1) != 0) {
        (void)shell_left(&board->shell);
        return FAILED;
    }
    watchdog_watch(&board->shell);
    board_begins(&board->base.imports);
    modules_started(&board->modules, board->number);
    if (shell_load(&board->shell, &options) != 0) {
        if (engine_compiled(0)) name_modules();
        return REFUSED;
    }
    int32_t started = shell_start(&board->shell);
    if (started == SHELL_FAILED) return FAILED;
    if (started != 0) return give_up(board, board->base.imports.refusal);
    if (board->storage.open && !board->base.imports.asked_journal) return give_up(board, "keeps no journal; take a module whose name ends in -journal");
    board->began = true;
    board->allocations = heap_allocations();
    console_started(heap_bytes() + shell_static_bytes(&board->shell), shell_memory_bytes(&board->shell), module->bytes, board->allocations);
    return run(board, signals_open);
}

/* Waits so long with nothing running, while the host is heard. False: a signal came, or a command in its place, or another module. */
static bool attend(Board *board, int64_t ms, const sigset_t *signals_open) {
    int64_t until = console_now_ms() + ms;
    for (int64_t now = until - ms; now < until; now = console_now_ms()) {
        struct pollfd poll;
        host_line_wants(&poll);
        int64_t wait = host_line_wait(until - now);
        struct timespec time = {.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};
        if (ppoll(&poll, 1, &time, signals_open) < 0) return false;
        host_line_carry();
        hear(board);
        if (signals || sleeps || modules_updated(&board->modules)) return false;
    }
    return true;
}

/* What was sent last is on its way when the process ends. */
static void let_go(Board *board) {
    static const bool no_room[LINKS];
    int64_t until = console_now_ms() + LINK_LINGER_MS;
    for (int64_t now = until - LINK_LINGER_MS; links_busy(&board->links) && now < until; now = console_now_ms()) {
        struct pollfd polls[LINKS_POLLS + 1];
        links_wants(&board->links, polls, no_room);
        host_line_wants(&polls[LINKS_POLLS]);
        (void)poll(polls, LINKS_POLLS + 1, (int)host_line_wait(links_wait(&board->links, no_room, until - now)));
        host_line_carry();
        (void)links_news(&board->links, 0, polls, console_now_ms());
    }
    say_words(board);
}

static void close_links(Board *board) {
    for (int32_t link = 0; link < links_count(&board->links); link++) links_close(&board->links, link, console_now_ms());
}

/* Why a module was left that did not reach its broker in time. */
static const char *overdue(const Board *board) {
    static char words[80];
    uint32_t ms = board->modules.deployed.slots.trial_ms;
    (void)snprintf(words, sizeof words, "did not reach its broker within %lu s", (unsigned long)((ms ? ms : UPDATE_TRIAL_MS) + 999) / 1000);
    return words;
}

/* Modules one after another, as far as there are good ones; the exit status. What the last one sent is still on its way. */
static int live_on(Board *board, const sigset_t *signals_open) {
    while ((board->number = modules_next(&board->modules)) >= 0 && !signals) {
        modules_begins(&board->modules, board->number);
        uint32_t wait = modules_wait(&board->modules, board->number);
        if (wait && !attend(board, wait, signals_open)) continue; /* a signal, or another module */
        if (host_line() && (board->number >= MODULES_DEPLOYED || board->began)) describe(board); /* at a console it is told which one starts */
        int status = live(board, signals_open);
        watchdog_watch(NULL);
        if (status >= 0 || status == UPDATED) modules_ended(&board->modules, board->number);
        if (status >= 0) return status;
        if (status == UPDATED) let_go(board);
        close_links(board);
        if (status == OVERDUE) modules_refused(&board->modules, board->number, overdue(board));
        else if (status == REFUSED) modules_refused(&board->modules, board->number, board->shell.error);
        else if (status == FAILED) modules_failed(&board->modules, board->number, board->shell.error);
        shell_unload(&board->shell);
    }
    return 1;
}

static void catch_signals(sigset_t *signals_open) {
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t caught;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGUSR1, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a journal that may not grow is a full one */
    /* They arrive within ppoll only: one that came between a look at `signals` and the wait would be slept through. */
    (void)sigemptyset(&caught);
    (void)sigaddset(&caught, SIGINT);
    (void)sigaddset(&caught, SIGTERM);
    (void)sigaddset(&caught, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &caught, signals_open);
    (void)sigdelset(signals_open, SIGINT);
    (void)sigdelset(signals_open, SIGTERM);
    (void)sigdelset(signals_open, SIGUSR1);
}

/* Everything from the settings to the end of the module; the exit status. */
static int serve(Board *board, const sigset_t *signals_open) {
    const Settings *settings = &board->settings;
    if (settings->exposed && settings->values[CONFIG_PASSWORD].text) {
        console_say("password: other users of this machine can read the settings file; chmod 600 keeps it to yourself");
    }
    if (!thermometer_open(&board->thermometer, settings->values[SETTING_THERMOMETER].text)) {
        console_say("thermometer: %s", board->thermometer.error);
        board->configured = false;
        return 1;
    }
    if (!open_buses(board)) {
        board->configured = false;
        return 1;
    }
    if (settings->values[CONFIG_CLIENT_ID].text) console_client(settings->values[CONFIG_CLIENT_ID].text);
    links_init(&board->links, settings, host_line());
    name_server(board);
    if (!open_storage(board)) {
        board->configured = false;
        return 1;
    }
    if (!modules_open(&board->modules, settings)) return 1;
    if (host_line() && board->modules.deployed.path) line_takes(host_line(), LINE_MODULE, &update_uploads, &board->modules.deployed.update);
    int status = live_on(board, signals_open);
    let_go(board);
    if (board->began) console_ended(heap_bytes() + shell_static_bytes(&board->shell), heap_allocations() - board->allocations, 0);
    shell_unload(&board->shell);
    thermometer_close(&board->thermometer);
    storage_close(&board->storage);
    if (host_line()) line_takes(host_line(), LINE_MODULE, NULL, NULL); /* the slots are closed */
    modules_close(&board->modules);
    return status;
}

/* Without settings that are any good: waits for others, and the restart behind them. */
static void wait_for_settings(Board *board, const sigset_t *signals_open) {
    board->configured = false;
    console_unconfigured();
    while (!signals && !sleeps && !output_gone()) (void)attend(board, INT32_MAX, signals_open);
}

/* False when the address of the console is none. */
static bool open_console(Board *board, const char *address, int count) {
    const char *fault = host_line_open(address, (uint32_t)random_bits(NULL));
    if (fault) {
        console_say("console: %s", fault);
        return false;
    }
    provisioning_open(host_line(), &board->settings, count, board->arguments);
    describe(board);
    host_line_carry();
    return true;
}

int main(int count, char **arguments) {
    static Board board;
    board.base.imports = (BoardImports){.settings = &board.settings, .thermometer = &board.thermometer, .address = board.address};
    int status = options_read(&board.settings, count, arguments);
    if (status >= 0) return status;
    sigset_t signals_open;
    catch_signals(&signals_open); /* before links_init, whose threads are not to be disturbed */
    board.configured = status == OPTIONS_COMPLETE;
    board.arguments = arguments;
    const char *console = board.configured ? board.settings.values[SETTING_CONSOLE].text : options_value(count, arguments, "console");
    if (console && !open_console(&board, console, count)) return 1;
    if (board.configured) status = serve(&board, &signals_open);
    else if (board.settings.error[0]) console_say("%s", board.settings.error);
    if (console && !board.configured) {
        wait_for_settings(&board, &signals_open);
        status = 0;
    }
    host_line_drain(DRAIN_MS);
    return status;
}
