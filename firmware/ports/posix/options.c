#include "options.h"

#include "console.h"
#include "settings_file.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "twobyte-posix: a Twobyte board as a Linux process\n"
    "\n"
    "  --config FILE        settings, one `key = value` a line; # starts a comment line, \"…\" keeps blanks\n"
    "  --set KEY=VALUE      one setting more, or in place of the file's; may be repeated\n"
    "  --broker URL         mqtt://host[:port], mqtt-sn://host[:port] or mqtt-sn+serial:///dev/…[?baud=N] (key broker);\n"
    "                       several of one kind, blanks between them, are tried in their order\n"
    "  --thermometer NAME   thermal[:N], hwmon[:N], replay:FILE or simulated:SEED (key thermometer)\n"
    "  --module FILE        the WebAssembly module (key module)\n"
    "  --fallback FILE      the last good module: the board goes on with it when the other is refused, traps or runs too long (key fallback)\n"
    "  --journal FILE       where a module whose name ends in -journal keeps what outlives a power cut (key journal)\n"
    "  --help\n"
    "\n"
    "Later options override earlier ones. The module's keys: topic, qos, retain, interval (ms), unit, sensor,\n"
    "buffer, buffer_policy, buffered_topic, diagnostic_topic (with a journal), availability_topic, command_topic, client_id, username, password, keep_alive (s), clean_session, reconnect_min,\n"
    "reconnect_max, connect_timeout, reply_timeout (ms), max_inflight, will_topic, will_payload, will_qos, will_retain;\n"
    "of MQTT-SN predefined, node_id, retry_interval, congestion_wait, search_delay (ms), retries, missed_advertisements, sleep.\n"
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

int options_read(Settings *settings, int count, char **arguments) {
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},    {"broker", required_argument, NULL, 'b'},
        {"thermometer", required_argument, NULL, 't'}, {"module", required_argument, NULL, 'm'}, {"fallback", required_argument, NULL, 'f'}, {"journal", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int option;
    bool fine = true;
    opterr = 0; /* its own complaint would repeat the whole word, and --password=… is not to be seen in a log */
    while (fine && (option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            fine = settings_load(settings, optarg);
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
        case 'j':
            fine = set_option(settings, "journal", optarg);
            break;
        case 'h':
            return fputs(help, stdout) < 0 || fflush(stdout) != 0 ? 1 : 0;
        default: {
            const char *word = arguments[optind - 1];
            console_say("\"%.*s\" is no option, or its value is missing; --help tells the options", (int)strcspn(word, "="), word);
            return 1;
        }
        }
    }
    if (fine && optind < count) {
        console_say("\"%.100s\" belongs to no option; --help tells them", arguments[optind]);
        return 1;
    }
    if (fine) fine = settings_complete(settings);
    if (!fine) console_say("%s", settings->error);
    return fine ? -1 : 1;
}
