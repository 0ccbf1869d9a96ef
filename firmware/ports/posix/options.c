#include "options.h"

#include "console.h"
#include "settings_file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "twobyte-posix: a Twobyte board as a Linux process\n"
    "\n"
    "  --config FILE        settings, one `key = value` a line; # starts a comment line, \"…\" keeps blanks\n"
    "  --set KEY=VALUE      one setting more, or in place of the file's; may be repeated\n"
    "  --broker URL         mqtt://host[:port], mqtt-sn://host[:port] or mqtt-sn+serial:///dev/…[?baud=N] (key broker);\n"
    "                       by the console's line to a bridge: mqtt+line://bridge or mqtt-sn+line://bridge;\n"
    "                       several of one kind, blanks between them, are tried in their order\n"
    "  --thermometer NAME   thermal[:N], hwmon[:N], replay:FILE or simulated:SEED (key thermometer)\n"
    "  --module FILE        the WebAssembly module (key module)\n"
    "  --fallback FILE      the last good module: the board goes on with it when the other is refused, traps or runs too long (key fallback)\n"
    "  --modules FILE       where deployed modules are kept; --module is then the factory's (key modules; with public_key = 128 hex digits or FILE\n"
    "                       new ones are taken, and have update_trial ms to reach their broker)\n"
    "  --journal FILE       where a module whose name ends in -journal keeps what outlives a power cut (key journal)\n"
    "  --console DEVICE     a serial port or pseudo-terminal, PATH or PATH@BAUD, where a host hears this board, commands it, and writes its\n"
    "                       settings into the --config file, which may be absent at first (key console)\n"
    "  --help\n"
    "\n"
    "Later options override earlier ones. The module's keys: topic, qos, retain, interval (ms), unit, sensor,\n"
    "buffer, buffer_policy, buffered_topic, diagnostic_topic (with a journal), availability_topic, command_topic, update_topic, client_id, username, password, keep_alive (s), clean_session, reconnect_min,\n"
    "reconnect_max, connect_timeout, reply_timeout (ms), max_inflight, will_topic, will_payload, will_qos, will_retain;\n"
    "of MQTT-SN predefined, node_id, retry_interval, congestion_wait, search_delay (ms), retries, missed_advertisements, sleep.\n"
    "of modules with drivers (node…) reading_1 to reading_8, as docs/sensors.md has them. Keys of the board: i2c (/dev/i2c-N or simulated),\n"
    "onewire, adc, dht22 (simulated).\n"
    "Behind an mqtt-sn:// address, ?search means that gateways are searched there; at a multicast address they always are.\n"
    "A password belongs in a file that only you can read: the command line is visible to every user of the machine.\n"
    "\n"
    "Events go to standard output, one line of JSON each; words for a person go to standard error. SIGINT and SIGTERM\n"
    "end the board in order, a second one at once. SIGUSR1 says that deep sleep comes: a module with a journal gets up to\n"
    "5 s for what is not acknowledged, then the board ends without a farewell, and its session goes on at the next start.\n"
    "Exit status: 0 ended in order, or asleep; 1 bad settings, a module that cannot run, or no farewell; the message names\n"
    "the thing at fault. With --fallback, a module that is refused, or traps or runs too long in its first minute, is left for that file at once; later\n"
    "it is started again, after 1 s, 2 s, and left the third time. When both were left, or there is no fallback, the status is 1.\n";

/* A setting of the command line: KEY=VALUE, or an option's value under the option's name. */
static bool set_option(Settings *settings, const char *key, const char *value) {
    char name[64];
    const char *where = "--set";
    if (!key) {
        const char *equals = strchr(value, '=');
        size_t length = equals ? (size_t)(equals - value) : 0;
        if (!equals || length >= sizeof name) {
            /* not what follows the name: it may be a password behind a blank */
            (void)snprintf(settings->error, sizeof settings->error, "--set: \"%.*s\" is not of the form key=value",
                           (int)strcspn(value, " :\t="), value);
            return false;
        }
        memcpy(name, value, length);
        name[length] = 0;
        key = name;
        value = equals + 1;
    } else where = "command line";
    return settings_set(settings, key, value, (uint32_t)strlen(value), where, 0);
}

/* A text in place of the --config file's, and what a pass over the command line finds. */
typedef struct {
    const char *text; /* NULL: read the file */
    uint32_t length;
    const char *absent; /* a --config file that does not exist */
    bool unfit; /* it is the file's content that is refused */
} Pass;

static bool read_config(Settings *settings, const char *path, Pass *pass) {
    bool fine = true;
    if (pass->text) fine = settings_read(settings, "settings", pass->text, pass->length);
    else if (access(path, F_OK) != 0 && errno == ENOENT) pass->absent = path;
    else fine = settings_load(settings, path);
    pass->unfit = !fine;
    return fine;
}

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},   {"set", required_argument, NULL, 's'},     {"broker", required_argument, NULL, 'b'},
    {"thermometer", required_argument, NULL, 't'}, {"module", required_argument, NULL, 'm'}, {"fallback", required_argument, NULL, 'f'},
    {"modules", required_argument, NULL, 'd'},  {"journal", required_argument, NULL, 'j'},  {"console", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* All of the command line. -1, or the exit status of what cannot be used but the file's content. */
static int pass_over(Settings *settings, int count, char **arguments, Pass *pass) {
    int option;
    opterr = 0; /* its own complaint would repeat the whole word, and --password=… is not to be seen in a log */
    optind = 0;
    while (!pass->unfit && (option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        bool fine = true;
        switch (option) {
        case 'c':
            fine = read_config(settings, optarg, pass);
            break;
        case 's':
            fine = set_option(settings, NULL, optarg);
            break;
        case 'b':
            fine = set_option(settings, "broker", optarg);
            break;
        case 't':
            fine = set_option(settings, "thermometer", optarg);
            break;
        case 'm':
            fine = set_option(settings, "module", optarg);
            break;
        case 'f':
            fine = set_option(settings, "fallback", optarg);
            break;
        case 'd':
            fine = set_option(settings, "modules", optarg);
            break;
        case 'j':
            fine = set_option(settings, "journal", optarg);
            break;
        case 'o':
            fine = set_option(settings, "console", optarg);
            break;
        case 'h':
            return fputs(help, stdout) < 0 || fflush(stdout) != 0 ? 1 : 0;
        default: {
            const char *word = arguments[optind - 1];
            console_say("\"%.*s\" is no option, or its value is missing; --help tells the options", (int)strcspn(word, "="), word);
            return 1;
        }
        }
        if (!fine && !pass->unfit) {
            console_say("%s", settings->error);
            return 1;
        }
    }
    if (pass->unfit || optind >= count) return -1;
    console_say("\"%.100s\" belongs to no option; --help tells them", arguments[optind]);
    return 1;
}

const char *options_value(int count, char **arguments, const char *name) {
    const char *value = NULL;
    int option, index;
    opterr = 0;
    optind = 0;
    while ((option = getopt_long(count, arguments, "", options, &index)) != -1) {
        if (option != '?' && strcmp(options[index].name, name) == 0) value = optarg;
    }
    return value;
}

int options_read(Settings *settings, int count, char **arguments) {
    Pass pass = {.text = NULL};
    int status = pass_over(settings, count, arguments, &pass);
    if (status >= 0) return status;
    bool fine = !pass.unfit;
    const char *console = options_value(count, arguments, "console");
    if (pass.absent && !console) fine = settings_refuse(settings, pass.absent, 0, "", "cannot be read: %s", strerror(ENOENT));
    else if (fine) fine = settings_complete(settings);
    if (fine) return OPTIONS_COMPLETE;
    if (pass.absent && console) {
        (void)settings_refuse(settings, pass.absent, 0, "", "there are no settings yet; twobyte provision brings them by %s", console);
    }
    if (console && options_value(count, arguments, "config")) return OPTIONS_UNCONFIGURED;
    console_say("%s", settings->error);
    return 1;
}

bool options_try(Settings *settings, int count, char **arguments, const char *text, uint32_t length) {
    Pass pass = {.text = text, .length = length};
    return pass_over(settings, count, arguments, &pass) < 0 && !pass.unfit && settings_complete(settings);
}
