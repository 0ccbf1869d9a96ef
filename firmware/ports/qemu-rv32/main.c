/* The emulated board: one module in the shell, on QEMU's virt machine without an operating system. Waits in wfi for the UART or the time
 * that step asked for; one thing is told, then comes a step. Nothing is allocated after the start. */

#include "board.h"
#include "buses.h"
#include "console.h"
#include "contract.h"
#include "flash.h"
#include "heap.h"
#include "kept_settings.h"
#include "machine.h"
#include "modules.h"
#include "nvram.h"
#include "random.h"
#include "settings.h"
#include "shell.h"
#include "text_upload.h"
#include "thermometer.h"
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How long the farewell may take, the last words before a deep sleep, and what is still to be sent at the end. */
#define STOP_MS 5000
#define FLUSH_MS 5000
#define DRAIN_MS 2000

/* How a module's run ends but by an exit status. */
#define FAILED UINT32_MAX

typedef struct {
    SimulatedBoard base; /* first: simulated/buses.h */
    Settings settings;
    Shell shell;
    Thermometer thermometer;
    Nvram storage;
    bool provisioned; /* the settings are a host's, not the flash's */
    bool configured;  /* they are such that a module may start */
} Board;

const char console_name[] = "twobyte-rv32";

int64_t console_wall_us(void) {
    return machine_wall_us();
}

int64_t console_now_ms(void) {
    return machine_now_ms();
}

static int32_t link_open(void *context, int32_t link, int32_t choice) {
    Board *board = context;
    if (link != 0) return -REASON_ADDRESS;
    return line_open(wire_line(), board->settings.carrier == CARRIER_LINE_STREAM ? LINE_STREAM : LINE_DATAGRAMS, choice);
}

static int32_t link_send(void *context, int32_t link, const uint8_t *data, int32_t length) {
    (void)context;
    return link == 0 ? line_send(wire_line(), data, length) : -REASON_ADDRESS;
}

static void link_close(void *context, int32_t link) {
    (void)context;
    if (link == 0) line_close(wire_line());
}

static int32_t remember_gateway(void *context, int32_t slot, const uint8_t *address, int32_t length) {
    (void)context;
    (void)slot;
    (void)address;
    (void)length;
    return -REASON_ADDRESS;
}

static int32_t random_bits(void *context) {
    (void)context;
    return (int32_t)random_next();
}

static int32_t store_write(void *context, int32_t key, const uint8_t *data, int32_t length) {
    Board *board = context;
    return nvram_write(&board->storage, key, data, length);
}

static int32_t store_read(void *context, int32_t key, uint8_t *to, int32_t capacity) {
    Board *board = context;
    return nvram_read(&board->storage, key, to, capacity);
}

static int32_t unix_time(void *context) {
    (void)context;
    return board_unix_time(machine_wall_us() / 1000000);
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
    .event = board_event,
    .i2c_transfer = simulated_i2c_transfer,
    .onewire_transfer = simulated_onewire_transfer,
    .onewire_triplet = simulated_onewire_triplet,
    .adc_read = simulated_adc_read,
    .humidity = simulated_humidity,
};

_Noreturn static void end(uint32_t status) {
    wire_drain(DRAIN_MS);
    machine_end(status);
}

static Board board = {.base.imports = {.settings = &board.settings, .thermometer = &board.thermometer, .address = "the other end of the line"}};

static int running_slot = -1;

/* What a chip's watchdog does: the machine is reset, and its next start tells. A trap within this one leaves nothing but the reset. */
void machine_trap(uint32_t cause, uint32_t at, uint32_t value) {
    static volatile bool in_trap;
    if (!in_trap) {
        in_trap = true;
        if (cause == MACHINE_LATE) modules_late(running_slot, shell_running(&board.shell));
        else modules_fault(running_slot, shell_running(&board.shell), cause, at, value);
    }
    machine_restart();
}

#define KEPT ((uint32_t *)(uintptr_t)KEPT_SETTINGS)

static bool parse_settings(Settings *settings, const uint8_t *text, uint32_t length) {
    static const int needed[] = {SETTING_BROKER, SETTING_THERMOMETER};
    if (!settings_read(settings, "settings", (const char *)text, length)) return false;
    for (int key = SETTING_MODULES; key <= SETTING_UPDATE_TRIAL; key++) {
        if (settings->values[key].text) return settings_refuse(settings, "settings", 0, "modules, public_key", "this board cannot verify signatures, and takes no new modules; leave it out");
    }
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (settings->values[needed[i]].text) continue;
        return settings_refuse(settings, "settings", 0, "", "they name no %s", needed[i] == SETTING_BROKER ? "broker" : "thermometer");
    }
    return true;
}

/* Those that a host brought, else the flash's. False: there are none, or settings->error says what is wrong. */
static bool read_settings(Board *board) {
    uint32_t length;
    const uint8_t *text = kept_settings(KEPT, &length);
    board->provisioned = text != NULL;
    if (!text) text = flash_region(FLASH_SETTINGS, FLASH_SETTINGS_BYTES, &length);
    return text && parse_settings(&board->settings, text, length);
}

/* Keeps settings that the host brought into the room of kept_settings.h; they count from the next start on. */
static const char *keep_settings(void *context, const char *text, uint32_t length);

static TextUpload upload = {.capacity = KEPT_TEXT_BYTES, .keep = keep_settings};

static const char *keep_settings(void *context, const char *text, uint32_t length) {
    static Settings tried;
    (void)context;
    memset(&tried, 0, sizeof tried);
    if (!parse_settings(&tried, (const uint8_t *)text, length)) return tried.error;
    kept_settle(KEPT, length);
    upload.text = kept_room(KEPT);
    return NULL;
}

static void take_uploads(void) {
    upload.text = kept_room(KEPT);
    line_takes(wire_line(), LINE_SETTINGS, &text_uploads, &upload);
}

static void open_storage(Board *board) {
    if (!board->settings.values[SETTING_JOURNAL].text) return;
    nvram_open(&board->storage, (volatile uint32_t *)(uintptr_t)STORAGE, STORAGE_BYTES);
    if (board->storage.damaged) console_say("journal: %" PRIu32 " of its records are damaged", board->storage.damaged);
}

/* What the host wants since the last look. */
typedef struct {
    bool stop;
    bool flush;
} Wishes;

static void describe(void) {
    const char *module = engine_compiled(0);
    console_board(&(ConsoleBoard){.board = "qemu-rv32", .chip = "rv32", .module = module ? module : "", .settings = board.configured});
}

static void hear(Wishes *wishes) {
    uint32_t value;
    for (LineWish wish = line_wish(wire_line(), &value); wish != LINE_NOTHING; wish = line_wish(wire_line(), &value)) {
        if (wish == LINE_STOP) wishes->stop = true;
        if (wish == LINE_FLUSH) wishes->flush = true;
        if (wish == LINE_TELL) describe();
        if (wish == LINE_TELL && !board.configured) console_unconfigured();
        if (wish == LINE_RESTART) {
            wire_drain(DRAIN_MS);
            machine_restart();
        }
    }
}

/* Without settings that are any good: waits for others, and the restart behind them. */
_Noreturn static void wait_for_settings(void) {
    Wishes wishes = {false, false};
    board.configured = false;
    console_unconfigured();
    while (!wishes.stop && !wishes.flush) {
        machine_feed();
        wire_wait(INT32_MAX);
        hear(&wishes);
    }
    end(0);
}

/* Between two starts of modules that are no good: the host is heard. */
static void hold_back(uint32_t ms) {
    int64_t until = machine_now_ms() + ms;
    Wishes wishes = {false, false};
    for (int64_t now = machine_now_ms(); now < until; now = machine_now_ms()) {
        wire_wait(until - now);
        hear(&wishes);
        if (wishes.stop || wishes.flush) end(0); /* nothing runs */
    }
}

/* A module is no good: with another to go on with, or after a wait, the board starts anew; without one it ends. */
_Noreturn static void leave(const char *words) {
    if (!modules_say(running_slot, words)) end(1);
    line_close(wire_line());
    wire_drain(DRAIN_MS);
    hold_back(slots_wait(modules_slots(), slots_choose(modules_slots())));
    machine_restart();
}

/* A compiled module that is refused will be so again. */
_Noreturn static void refuse(const char *words) {
    if (engine_compiled(0)) {
        console_say("the module %s: %s", engine_compiled(0), words);
        end(1);
    }
    slots_refused(modules_slots(), running_slot);
    leave(words);
}

_Noreturn static void fail(const char *words) {
    slots_failed(modules_slots(), running_slot);
    leave(words);
}

/* It is the settings that are at fault: nothing is held against the module, and no other is tried. */
_Noreturn static void give_up(const char *words) {
    slots_ended(modules_slots(), running_slot);
    console_say("%s", words);
    if (board.provisioned) wait_for_settings();
    end(1);
}

static void load_module(uint32_t *bytes) {
    ShellOptions options = {.port = &port, .context = &board};
    uint32_t wait;
    int slot = modules_open(&wait);
    if (slot < 0) {
        console_say("there is no module in the flash that this board can start");
        end(1);
    }
    hold_back(wait);
    running_slot = slot;
    options.module = modules_slots()->slots[slot].module;
    options.module_bytes = *bytes = modules_slots()->slots[slot].bytes;
    slots_started(modules_slots(), slot);
    machine_feed();
    if (shell_load(&board.shell, &options) != 0) refuse(board.shell.error);
}

/* Tells the module one thing that became of the link, if anything did. False when the shell failed. */
static bool tell(Board *board, bool *told) {
    LineNews news = line_news(wire_line());
    if (!news.what && news.readable) {
        uint32_t room;
        uint8_t *to = shell_link_buffer(&board->shell, 0, &room);
        if (!to) return false;
        uint32_t length = line_receive(wire_line(), to, room);
        *told = length > 0;
        return !length || shell_link_received(&board->shell, 0, length) == 0;
    }
    *told = news.what != 0;
    return !news.what || shell_link_changed(&board->shell, 0, news.what, news.reason) == 0;
}

/* Until the module has stopped. 0, 1 without a farewell, or FAILED. */
static uint32_t run(Board *board) {
    int64_t end_by = INT64_MAX;
    int64_t proves_at = machine_now_ms() + SLOTS_PROOF_MS;
    Wishes wishes = {false, false};
    for (;;) {
        int64_t now = machine_now_ms();
        machine_feed();
        if (now >= proves_at) {
            slots_proved(modules_slots(), running_slot);
            proves_at = now + SLOTS_PROOF_MS;
        }
        int32_t wait = shell_step(&board->shell, (uint32_t)now);
        if (wait == SHELL_FAILED) break;
        if (board->base.imports.stopped || board->base.imports.flushed) return 0;
        wire_carry();
        hear(&wishes);
        if (wishes.flush) {
            wishes.flush = false;
            int32_t answer = shell_flush(&board->shell, FLUSH_MS);
            if (answer == SHELL_FAILED) break;
            if (answer != 0) console_say("this module has no journal, and cannot sleep without loss");
            continue;
        }
        if (end_by == INT64_MAX && wishes.stop) {
            /* Right after a step, so that the module's deadlines start from this moment. */
            end_by = now + STOP_MS;
            if (shell_stop(&board->shell) == SHELL_FAILED) break;
            if (board->base.imports.stopped) return 0;
            continue;
        }
        if (now >= end_by) {
            console_say("ended without a farewell: the broker did not take it");
            return 1;
        }
        bool told;
        if (!tell(board, &told)) break;
        if (told) continue;
        int64_t left = end_by == INT64_MAX ? wait : end_by - now;
        wire_wait(left < wait ? left : wait);
        if (!tell(board, &told)) break;
    }
    return FAILED;
}

int main(void) {
    uint32_t module_bytes;
    machine_init();
    random_init();
    wire_init(random_next());
    take_uploads();
    board.configured = read_settings(&board);
    describe();
    const Settings *settings = &board.settings;
    if (!board.configured) {
        if (settings->error[0]) console_say("%s", settings->error);
        if (settings->error[0] && !board.provisioned) end(1); /* whoever made the flash is to know */
        wait_for_settings();
    }
    if (!thermometer_open(&board.thermometer, settings->values[SETTING_THERMOMETER].text)) {
        console_say("thermometer: %s", board.thermometer.error);
        if (board.provisioned) wait_for_settings();
        end(1);
    }
    int bus = simulated_open(&board.base.buses, settings);
    if (bus) {
        console_say("%s: this board has no pins; take simulated", settings_key(bus));
        end(1);
    }
    if (settings->values[CONFIG_CLIENT_ID].text) console_client(settings->values[CONFIG_CLIENT_ID].text);
    open_storage(&board);
    load_module(&module_bytes);
    board_begins(&board.base.imports);
    int32_t started = shell_start(&board.shell);
    if (started == SHELL_FAILED) fail(board.shell.error);
    if (started != 0) {
        static char words[BOARD_REFUSAL_BYTES + 16];
        (void)snprintf(words, sizeof words, "the module %s", board.base.imports.refusal);
        give_up(words);
    }
    if (board.storage.words && !board.base.imports.asked_journal) give_up("journal: this module keeps none; take one whose name ends in -journal");
    uint64_t allocations = heap_allocations();
    console_started(heap_bytes() + shell_static_bytes(&board.shell), shell_memory_bytes(&board.shell), module_bytes, allocations);
    uint32_t status = run(&board);
    if (status == FAILED) fail(board.shell.error);
    slots_ended(modules_slots(), running_slot);
    wire_drain(DRAIN_MS);
    console_ended(heap_bytes() + shell_static_bytes(&board.shell), heap_allocations() - allocations, machine_stack_most());
    shell_unload(&board.shell);
    end(status);
}
