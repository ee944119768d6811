// A small service in C with a session cache: line by line over TCP, on this machine only.
//
//	LOGIN user address	OK token, or NO after three failures from that address
//	TOUCH token		OK requests, or GONE
//	LOGOUT token		OK, or GONE
//
// sessions [CLIENTS]: it prints "ready PORT" and serves; CLIENTS threads of its own (4) are its
// load. Failures are counted by address and never forgotten: one of its maps grows for ever.
#include <hmap/hmap_typed.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct session {
	uint32_t user, requests;
	time_t since;
};

HMAP_DEFINE(sessions, uint64_t, struct session)
HMAP_DEFINE(failures, uint32_t, uint32_t)

static struct sessions *cache;
static struct failures *failed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int port;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void log_in(unsigned user, unsigned address, uint64_t *random, char *answer, size_t size)
{
	const struct session session = { .user = user, .since = time(NULL) };
	uint32_t *count = NULL;
	uint64_t token = next_random(random);

	if (user % 10 == 0 && // A password that is wrong.
	    failures_get_or_put(failed, address, 0, &count, NULL) == HMAP_OK) {
		snprintf(answer, size, ++*count > 3 ? "NO\n" : "AGAIN\n");
		return;
	}
	if (sessions_put(cache, token, session) == HMAP_OK)
		snprintf(answer, size, "OK %llu\n", (unsigned long long)token);
	else
		snprintf(answer, size, "NO MEMORY\n");
}

static void answer_line(const char *line, uint64_t *random, char *answer, size_t size)
{
	unsigned long long token;
	unsigned user, address;
	struct session *session;

	pthread_mutex_lock(&lock);
	if (sscanf(line, "LOGIN %u %u", &user, &address) == 2) {
		log_in(user, address, random, answer, size);
	} else if (sscanf(line, "TOUCH %llu", &token) == 1) {
		session = sessions_get(cache, token);
		if (session)
			snprintf(answer, size, "OK %u\n", ++session->requests);
		else
			snprintf(answer, size, "GONE\n");
	} else if (sscanf(line, "LOGOUT %llu", &token) == 1) {
		snprintf(answer, size, "%s\n",
			 sessions_erase(cache, token) == HMAP_OK ? "OK" : "GONE");
	} else {
		snprintf(answer, size, "WHAT\n");
	}
	pthread_mutex_unlock(&lock);
}

static void *serve(void *connection)
{
	uint64_t random = (uint64_t)(uintptr_t)&random ^ (uint64_t)time(NULL);
	FILE *stream = fdopen((int)(intptr_t)connection, "r+");
	char line[128], answer[64];

	while (stream && fgets(line, sizeof(line), stream)) {
		answer_line(line, &random, answer, sizeof(answer));
		if (fputs(answer, stream) == EOF || fflush(stream) == EOF)
			break;
	}
	if (stream)
		fclose(stream);
	return NULL;
}

// --- Load. ---

static void ask(FILE *stream, char *line, size_t size)
{
	if (fputs(line, stream) == EOF || fflush(stream) == EOF || !fgets(line, (int)size, stream))
		exit(0); // The service ends, and its load with it.
}

static void *be_client(void *number)
{
	enum { KEPT = 4096 };
	static const struct timespec pause = { .tv_nsec = 2000000 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	uint64_t tokens[KEPT] = { 0 }, random = 88172645463325252u + (uint64_t)(uintptr_t)number;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	FILE *stream;
	char line[128];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return NULL;
	stream = fdopen(fd, "r+");
	for (unsigned long i = 0; stream; i++) {
		uint64_t *token = &tokens[next_random(&random) % KEPT];

		snprintf(line, sizeof(line), "LOGIN %u %u\n", (unsigned)i,
			 (unsigned)next_random(&random));
		if (*token) {
			snprintf(line, sizeof(line), "LOGOUT %llu\n", (unsigned long long)*token);
			*token = 0;
		}
		ask(stream, line, sizeof(line));
		(void)sscanf(line, "OK %llu", (unsigned long long *)token);
		if (i % 16 == 0)
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static void start(void *(*run)(void *), intptr_t number)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)number) == 0)
		pthread_detach(thread);
}

static int listen_here(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, 16) != 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
		return -1;
	port = ntohs(at.sin_port);
	return fd;
}

int main(int argc, char **argv)
{
	const struct hmap_options named = { .name = "session_cache" }, unnamed = { .hint = 64 };
	long clients = argc > 1 ? strtol(argv[1], NULL, 10) : 4;
	int fd = listen_here();

	if (fd < 0 || sessions_create(&named, &cache) != HMAP_OK ||
	    failures_create(&unnamed, &failed) != HMAP_OK) {
		perror("sessions");
		return 1;
	}
	printf("ready %d\n", port);
	fflush(stdout);
	for (long i = 0; i < clients; i++)
		start(be_client, i + 1);
	for (;;) {
		int connection = accept(fd, NULL, NULL);

		if (connection >= 0)
			start(serve, connection);
	}
}
