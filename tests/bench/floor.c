/*
 * The floor of a no-op sweep: lstat, read and compare a list of files, and nothing else.
 *
 *   floor SECONDS <LIST
 *
 * Each line of LIST is "MODE UID GID SIZE PATH" (mode octal, permission bits only), followed by a line with
 * the path of a file that holds the wanted content. The wanted contents are loaded first; then whole sweeps are
 * repeated until SECONDS of CPU (user + system) are used. The last line on stdout is
 * {"files":N,"sweeps":N,"cpu_seconds":S,"per_sweep":S}. Any difference ends it with exit code 1.
 */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *path;
	unsigned mode, uid, gid;
	size_t size;
	char *content;
};

static void fail(const char *what, const char *path)
{
	fprintf(stderr, "floor: %s: %s\n", what, path);
	exit(1);
}

/* One read, which asks for a byte more than the file is to have: a regular file gives all that it has. */
static void read_all(const char *path, char *into, size_t size)
{
	ssize_t got;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fail("open", path);
	got = read(fd, into, size + 1);
	close(fd);
	if (got < 0 || (size_t)got != size)
		fail("size", path);
}

static struct file *load(size_t *count, size_t *largest)
{
	struct file *files = NULL;
	size_t room = 0;
	char *line = NULL;
	size_t length = 0;
	ssize_t got;
	*count = *largest = 0;
	while ((got = getline(&line, &length, stdin)) > 0) {
		struct file f;
		int at = 0;
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%o %u %u %zu %n", &f.mode, &f.uid, &f.gid, &f.size, &at) != 4 || !at)
			fail("not a line of the list", line);
		f.path = strdup(line + at);
		f.content = malloc(f.size + 1);
		if (getline(&line, &length, stdin) <= 0)
			fail("no wanted content", f.path);
		line[strcspn(line, "\n")] = 0;
		read_all(line, f.content, f.size);
		if (f.size > *largest)
			*largest = f.size;
		if (*count == room) {
			room = room ? room * 2 : 1024;
			files = realloc(files, room * sizeof *files);
			if (!files)
				fail("memory", f.path);
		}
		files[(*count)++] = f;
	}
	free(line);
	return files;
}

static double cpu_seconds(void)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
	       ((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) / 1e6;
}

static void sweep(const struct file *files, size_t count, char *buffer)
{
	for (size_t i = 0; i < count; i++) {
		const struct file *f = &files[i];
		struct stat st;
		if (lstat(f->path, &st) != 0)
			fail("lstat", f->path);
		if (!S_ISREG(st.st_mode) || (st.st_mode & 07777) != f->mode || st.st_uid != f->uid ||
		    st.st_gid != f->gid)
			fail("mode or owner", f->path);
		read_all(f->path, buffer, f->size);
		if (memcmp(buffer, f->content, f->size) != 0)
			fail("content", f->path);
	}
}

int main(int argc, char **argv)
{
	size_t count, largest, sweeps = 0;
	double limit = argc == 2 ? atof(argv[1]) : 0, start, used;
	struct file *files;
	char *buffer;
	if (limit <= 0) {
		fprintf(stderr, "usage: floor SECONDS <LIST\n");
		return 2;
	}
	files = load(&count, &largest);
	buffer = malloc(largest + 1);
	if (!count || !buffer)
		fail("empty list", "stdin");
	start = cpu_seconds();
	do {
		sweep(files, count, buffer);
		sweeps++;
		used = cpu_seconds() - start;
	} while (used < limit);
	printf("{\"files\":%zu,\"sweeps\":%zu,\"cpu_seconds\":%.6f,\"per_sweep\":%.6f}\n", count, sweeps, used,
	       used / (double)sweeps);
	return 0;
}
