/* The floor of writing files: all of them as temporary files beside their places, one syncfs, then each renamed.
 * Reads "TARGET\nSOURCE\n" pairs, writes each SOURCE's bytes to TARGET with mode 0640, and prints the seconds from
 * the first write to the last rename and the syncing of the folders' file system. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct file {
    char *target, *candidate, *bytes;
    size_t size;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static char *line(void) {
    char *text = NULL;
    size_t room = 0;
    ssize_t length = getline(&text, &room, stdin);
    if (length < 0) return NULL;
    text[length - 1] = 0;
    return text;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

int main(void) {
    struct file *files = NULL;
    size_t count = 0;
    for (char *target; (target = line());) {
        char *source = line();
        files = realloc(files, (count + 1) * sizeof *files);
        struct file *file = &files[count++];
        file->target = target;
        if (asprintf(&file->candidate, "%s.new", target) < 0) fail("asprintf");
        int from = open(source, O_RDONLY);
        struct stat found;
        if (from < 0 || fstat(from, &found)) fail(source);
        file->size = found.st_size;
        file->bytes = malloc(file->size + 1);
        if (read(from, file->bytes, file->size) != (ssize_t)file->size) fail(source);
        close(from);
    }
    double begun = now();
    int last = -1;
    for (size_t at = 0; at < count; at++) {
        int to = open(files[at].candidate, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (to < 0 || write(to, files[at].bytes, files[at].size) != (ssize_t)files[at].size || fchmod(to, 0640))
            fail(files[at].candidate);
        if (last >= 0) close(last);
        last = to;
    }
    if (syncfs(last)) fail("syncfs");
    for (size_t at = 0; at < count; at++)
        if (rename(files[at].candidate, files[at].target)) fail(files[at].target);
    if (syncfs(last)) fail("syncfs");
    printf("%.6f\n", now() - begun);
    return 0;
}
