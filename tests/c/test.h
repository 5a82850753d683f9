// What the C tests share: checks that say where they failed, and the place they run in.
#ifndef SPRONGUS_TEST_H
#define SPRONGUS_TEST_H

#include <sprongus.h>

#include <stdio.h>
#include <stdlib.h>

// Where a suite runs: a URL, and on PostgreSQL a schema of its own.
typedef struct place {
    const char *url;
    const char *schema;
} place;

extern int test_checks;

static inline void test_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    exit(1);
}

#define CHECK(condition) \
    (test_checks++, (condition) ? (void)0 : test_failed(__FILE__, __LINE__, #condition))

#define CHECK_TEXT(text, expected) test_text(__FILE__, __LINE__, #text, text, expected)

static inline void test_text(const char *file, int line, const char *what, const char *text, const char *expected) {
    test_checks++;
    if (text == NULL || strcmp(text, expected) != 0) {
        fprintf(stderr, "%s:%d: %s is\n  %s\nand not\n  %s\n", file, line, what, text ? text : "NULL", expected);
        exit(1);
    }
}

// The call succeeds; `error` is the variable it was given.
#define OK(call) test_status(__FILE__, __LINE__, #call, call, &error, SPRONGUS_OK)

// The call fails with that code, and says so in an error that is consistent with it.
#define FAILS(code, call) test_status(__FILE__, __LINE__, #call, call, &error, code)

static inline void test_status(const char *file, int line, const char *what, int32_t status, sprongus_error **error,
                               int32_t expected) {
    test_checks++;
    if (status != expected) {
        const char *message = sprongus_error_message(*error);
        fprintf(stderr, "%s:%d: %s gave %d and not %d: %s\n", file, line, what, (int)status, (int)expected,
                message ? message : "no error");
        exit(1);
    }
    if (status == SPRONGUS_OK ? *error != NULL : sprongus_error_code(*error) != status) {
        test_failed(file, line, "the error is not the one of the status");
    }
    if (status != SPRONGUS_OK && strlen(sprongus_error_message(*error)) == 0) {
        test_failed(file, line, "the error has no message");
    }
    sprongus_error_free(*error);
    *error = NULL;
}

// A store in that place.
sprongus_store *test_open(place at);

// Whether the text holds the part.
static inline bool test_holds(const char *text, const char *part) {
    return text != NULL && strstr(text, part) != NULL;
}

#endif  // SPRONGUS_TEST_H
