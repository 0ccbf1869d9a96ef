#include "check.h"
#include "contract.h"
#include "sensors.h"
#include "thermometer.h"

#include <stdlib.h>
#include <unistd.h>

#define REFUSED INT32_MIN

static const struct {
    const char *text;
    int32_t thousandths; /* REFUSED: not a temperature */
} temperatures[] = {
    {"0", 0},
    {"23", 23000},
    {"23.4", 23400},
    {"23.45", 23450},
    {"23.456", 23456},
    {"23.4564", 23456},
    {"23.4565", 23457},
    {"-23.4565", -23457},
    {"+4.9", 4900},
    {"-0.0004", 0},
    {"-0.05", -50},
    {"0004.9290000000000000001", 4929},
    {"-273.15", -273150},
    {"-273.151", REFUSED},
    {"9999.999", 9999999},
    {"9999.9995", REFUSED},
    {"10000", REFUSED},
    {"99999999999999999999", REFUSED},
    {"", REFUSED},
    {"-", REFUSED},
    {".5", REFUSED},
    {"5.", REFUSED},
    {"--5", REFUSED},
    {"5 ", REFUSED},
    {" 5", REFUSED},
    {"5e1", REFUSED},
    {"5,1", REFUSED},
    {"0x10", REFUSED},
    {"NaN", REFUSED},
};

static const struct {
    const char *text;
    bool good;
} times[] = {
    {"2016-06-15T00:30:00Z", true},
    {"2016-06-15 00:30:00", true},
    {"2016-06-15T00:30", true},
    {"2016-06-15T00:30:00.125Z", true},
    {"2016-06-15T00:30:00+02:00", true},
    {"2016-06-15T00:30:00-0930", true},
    {"2016-06-15", true},
    {"0", true},
    {"1466000000", true},
    {"-1.5", true},
    {"1466000000.25", true},
    {"", false},
    {"-", false},
    {"1.", false},
    {"2016-13-15T00:30:00Z", false},
    {"2016-06-32", false},
    {"2016-6-15", false},
    {"2016-06-15T25:00:00Z", false},
    {"2016-06-15T00:60:00Z", false},
    {"2016-06-15T00", false},
    {"2016-06-15T00:30:00.Z", false},
    {"2016-06-15T00:30:00Zx", false},
    {"2016-06-15T00:30:00+2", false},
    {"15.06.2016", false},
    {"noon", false},
};

static const struct {
    const char *text;
    int32_t thousandths; /* REFUSED: a failed reading */
} kernel_texts[] = {
    {"23456\n", 23456}, {"0\n", 0},           {"-5500\n", -5500},      {"-273150\n", -273150},   {"-273151\n", REFUSED},
    {"", REFUSED},      {"\n", REFUSED},      {"-\n", REFUSED},        {"23456", REFUSED},       {"23.4\n", REFUSED},
    {"234 \n", REFUSED}, {"12\n34\n", REFUSED}, {"99999999\n", REFUSED}, {"123456789012345", REFUSED},
};

static void test_numbers(void) {
    for (size_t i = 0; i < sizeof kernel_texts / sizeof kernel_texts[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "the kernel's text %d", (int)i + 1);
        check_begin(name);
        int32_t expected = kernel_texts[i].thousandths == REFUSED ? READING_FAILED - 74 : kernel_texts[i].thousandths;
        int32_t value = thermometer_sysfs(kernel_texts[i].text, strlen(kernel_texts[i].text));
        CHECK(value == expected, "\"%s\" is %d", kernel_texts[i].text, (int)value);
        check_end();
    }
    for (size_t i = 0; i < sizeof temperatures / sizeof temperatures[0]; i++) {
        char name[64];
        int32_t value = REFUSED;
        (void)snprintf(name, sizeof name, "temperature \"%s\"", temperatures[i].text);
        check_begin(name);
        const char *fault = thermometer_celsius(temperatures[i].text, strlen(temperatures[i].text), &value);
        CHECK(value == temperatures[i].thousandths, "is %d", (int)value);
        CHECK(!fault == (value != REFUSED), "says %s", fault ? fault : "nothing");
        check_end();
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char name[64];
        char row[64];
        int32_t value = REFUSED;
        (void)snprintf(name, sizeof name, "time \"%s\"", times[i].text);
        (void)snprintf(row, sizeof row, "%s,1.5", times[i].text);
        check_begin(name);
        const char *fault = thermometer_row(row, strlen(row), &value);
        CHECK(!fault == times[i].good, "says %s", fault ? fault : "nothing");
        CHECK(!fault == (value == 1500), "reads %d", (int)value);
        check_end();
    }
}

static Thermometer thermometer;

/* Opens `text` as a recording. The file is removed at once and lives on as long as it is open. */
static bool replay(const char *text, size_t length) {
    char name[64] = "replay:/tmp/twobyte-replay-XXXXXX";
    int file = mkstemp(name + 7);
    if (file < 0 || write(file, text, length) != (ssize_t)length) {
        (void)snprintf(thermometer.error, sizeof thermometer.error, "no temporary file");
        return false;
    }
    bool opened = thermometer_open(&thermometer, name);
    (void)close(file);
    (void)unlink(name + 7);
    return opened;
}

static const struct {
    const char *name;
    const char *text;
    int32_t readings[5];
} recordings[] = {
    {"rows in order, then from the first again", "0,1\n1,2\n2,3\n", {1000, 2000, 3000, 1000, 2000}},
    {"a header", "time,celsius\n0,1\n1,2\n", {1000, 2000, 1000, 2000, 1000}},
    {"a header with brackets", "time (UTC),temperature (celsius)\n2016-02-15T00:00:00Z,4.929\n", {4929, 4929, 4929, 4929, 4929}},
    {"no newline at the end", "0,1\n1,-2.5", {1000, -2500, 1000, -2500, 1000}},
    {"CR LF", "time,celsius\r\n0,1\r\n1,2\r\n", {1000, 2000, 1000, 2000, 1000}},
    {"blank lines", "\n0,1\n\n\n1,2\n\n", {1000, 2000, 1000, 2000, 1000}},
    {"a byte order mark before a row", "\xef\xbb\xbf""0,1\n1,2\n", {1000, 2000, 1000, 2000, 1000}},
};

static const struct {
    const char *name;
    const char *text;
    const char *error;
} malformed[] = {
    {"an empty recording", "", "has no rows; a row is time,celsius"},
    {"a header alone", "time,celsius\n", "has no rows"},
    {"no comma", "0,1\n1 2\n", ":2: there is no comma; a row is time,celsius"},
    {"a second header", "time,celsius\ntime,celsius\n0,1\n", ":2: the time is neither ISO 8601 nor a number of seconds"},
    {"a bad time", "0,1\nlater,2\n", ":2: the time is neither"},
    {"a gap", "0,1\n1,\n", ":2: the temperature is not a decimal number"},
    {"three columns", "0,1,2\n", ":1: the temperature is not a decimal number"},
    {"a decimal comma", "0,1\n\n2,3,5\n", ":3: the temperature is not a decimal number"},
};

static void test_replay(void) {
    for (size_t i = 0; i < sizeof recordings / sizeof recordings[0]; i++) {
        check_begin(recordings[i].name);
        CHECK(replay(recordings[i].text, strlen(recordings[i].text)), "%s", thermometer.error);
        for (int reading = 0; reading < 5; reading++) {
            int32_t value = thermometer_read(&thermometer, 0);
            CHECK(value == recordings[i].readings[reading], "reading %d is %d", reading, (int)value);
            CHECK(thermometer.wrapped == (reading > 0 && (uint64_t)reading % thermometer.rows == 0), "reading %d: wrapped %d", reading,
                  thermometer.wrapped);
        }
        thermometer_close(&thermometer);
        check_end();
    }
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        check_begin(malformed[i].name);
        CHECK(!replay(malformed[i].text, strlen(malformed[i].text)), "taken");
        CHECK(strstr(thermometer.error, malformed[i].error), "says \"%s\"", thermometer.error);
        thermometer_close(&thermometer);
        check_end();
    }
    char line[400];
    memset(line, '1', sizeof line);
    check_begin("a line without end");
    CHECK(!replay(line, sizeof line) && strstr(thermometer.error, "a line of over 255 bytes"), "says \"%s\"", thermometer.error);
    thermometer_close(&thermometer);
    check_end();
    check_begin("a recording with a NUL byte");
    CHECK(!replay("0,1\0\n", 5), "taken");
    thermometer_close(&thermometer);
    check_end();
}

static void test_changed(void) {
    char name[64] = "replay:/tmp/twobyte-replay-XXXXXX";
    check_begin("a recording that is emptied while it runs");
    int file = mkstemp(name + 7);
    CHECK(file >= 0 && write(file, "0,1\n1,2\n", 8) == 8, "no temporary file");
    CHECK(thermometer_open(&thermometer, name), "%s", thermometer.error);
    CHECK(thermometer_read(&thermometer, 0) == 1000, "the first reading");
    CHECK(ftruncate(file, 0) == 0, "not emptied");
    CHECK(thermometer_read(&thermometer, 0) < READING_FAILED, "a reading from nowhere");
    (void)unlink(name + 7);
    (void)close(file);
    thermometer_close(&thermometer);
    check_end();
}

static const struct {
    const char *name;
    const char *error;
} nowhere[] = {
    {"", "is no thermometer; take thermal[:N], hwmon[:N], replay:FILE or simulated:SEED"},
    {"mercury", "\"mercury\" is no thermometer"},
    {"replay", "replay: name the file"},
    {"replay:", "replay: name the file"},
    {"replay:/nowhere/a.csv", "replay: /nowhere/a.csv cannot be read: No such file or directory"},
    {"simulated", "simulated: the seed is a number"},
    {"simulated:", "simulated: the seed is a number"},
    {"simulated:-1", "simulated: the seed is a number"},
    {"simulated:4294967296", "simulated: the seed is a number"},
    {"thermal:", "thermal:: after the colon stands a number"},
    {"thermal:x", "after the colon stands a number"},
    {"thermal:4000000000", "thermal: /sys/class/thermal/thermal_zone4000000000/temp cannot be read"},
    {"hwmon:4000000000", "number 4000000000 is not there; take thermal, replay:FILE or simulated:SEED"},
};

static void test_names(void) {
    for (size_t i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "thermometer \"%s\"", nowhere[i].name);
        check_begin(name);
        CHECK(!thermometer_open(&thermometer, nowhere[i].name), "taken");
        CHECK(strstr(thermometer.error, nowhere[i].error), "says \"%s\"", thermometer.error);
        thermometer_close(&thermometer);
        check_end();
    }
}

static void test_simulated(void) {
    Thermometer twin;
    Thermometer other;
    int differences = 0;
    check_begin("simulated readings: like a room, the same for the same seed");
    CHECK(thermometer_open(&thermometer, "simulated:7") && thermometer_open(&twin, "simulated:7"), "%s", thermometer.error);
    CHECK(thermometer_open(&other, "simulated:4294967295"), "%s", other.error);
    for (int i = 0; i < 100000; i++) {
        int32_t value = thermometer_read(&thermometer, 0);
        CHECK(value == thermometer_read(&twin, 0), "reading %d differs", i);
        CHECK(value > 18000 && value < 25000, "reading %d is %d", i, (int)value);
        differences += value != thermometer_read(&other, 0);
    }
    CHECK(differences > 90000, "another seed differs %d times", differences);
    CHECK(thermometer_read(&thermometer, 1) == READING_FAILED - 19, "a second sensor");
    check_end();
}

int main(void) {
    test_numbers();
    test_replay();
    test_changed();
    test_names();
    test_simulated();
    return CHECK_STATUS();
}
