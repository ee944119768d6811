// server.c - one thread that answers who is on this machine.
//
// It reads what the maps' threads write without stopping them.  Who listens to lines waits
// suspended; another thread wakes it when there are some, so that no map's call ever does.
#include "hmap_debug/parts.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONNECTIONS = 32, TIMEOUT_S = 30, STREAMS = 8, STREAM_BYTES = 16384 };

/** Who listens: its connection waits while `is_waiting`. */
struct stream {
	struct hd_listener *listener; // NULL: a free place.
	struct MHD_Connection *connection;
	bool is_waiting;
};
static struct stream streams[STREAMS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      struct hd_text *text)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (text->failed) {
		free(text->bytes);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(text->size, text->bytes, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text->bytes);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

// --- Pages. ---

static void mapstats(struct MHD_Connection *connection, struct hd_text *text)
{
	const char *maps = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "maps");

	hd_mapstats_json(text, maps ? strtoul(maps, NULL, 10) : 0);
}

static void metrics(struct MHD_Connection *connection, struct hd_text *text)
{
	(void)connection;
	hd_metrics(text);
}

static void profile_maps(struct MHD_Connection *connection, struct hd_text *text)
{
	(void)connection;
	hd_profile_maps(text);
}

static void profile_growth(struct MHD_Connection *connection, struct hd_text *text)
{
	(void)connection;
	hd_profile_growth(text);
}

static void audit(struct MHD_Connection *connection, struct hd_text *text)
{
	(void)connection;
	if (hd_audit_is_on())
		hd_audit_json(text);
	else
		hd_put(text, "{\"schema\":\"hmap.audit/1\",\"off\":\"HMAP_DEBUG=audit=1 turns it "
			     "on\"}\n");
}

static void audit_otlp(struct MHD_Connection *connection, struct hd_text *text)
{
	(void)connection;
	hd_audit_otlp(text);
}

static const struct page {
	const char *path, *type, *what;
	void (*fill)(struct MHD_Connection *connection, struct hd_text *text);
} pages[] = {
	{ "/debug/mapstats", "application/json",
	  "sums over all maps and by name; ?maps=N adds the N largest", mapstats },
	{ "/metrics", "text/plain; version=0.0.4", "the same for Prometheus", metrics },
	{ "/debug/pprof/maps", "application/octet-stream", "where maps were made", profile_maps },
	{ "/debug/pprof/growth", "application/octet-stream", "who grew them", profile_growth },
	{ "/debug/audit", "application/json", "hot buckets, long chains, skewed hashes", audit },
	{ "/debug/audit/otlp", "application/json", "accesses with a trace id, as OTLP logs",
	  audit_otlp },
};

enum { ASKED_BYTES = 1 << 16 };

/** What pprof posts: addresses that it wants the names of. */
struct asked {
	char bytes[ASKED_BYTES];
	size_t size;
};

static enum MHD_Result symbols(struct MHD_Connection *connection, const char *upload,
			       size_t *upload_size, void **state)
{
	struct asked *asked = *state;
	struct hd_text text = { 0 };

	if (!asked) {
		*state = calloc(1, sizeof(*asked));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*upload_size) {
		size_t room = sizeof(asked->bytes) - 1 - asked->size;
		size_t taken = *upload_size < room ? *upload_size : room;

		memcpy(asked->bytes + asked->size, upload, taken);
		asked->size += taken;
		*upload_size = 0;
		return MHD_YES;
	}
	hd_symbols_text(asked->bytes, &text);
	return answer(connection, MHD_HTTP_OK, "text/plain", &text);
}

static void request_end(void *context, struct MHD_Connection *connection, void **state,
			enum MHD_RequestTerminationCode code)
{
	(void)context;
	(void)connection;
	(void)code;
	free(*state);
	*state = NULL;
}

static enum MHD_Result list_pages(struct MHD_Connection *connection, unsigned status)
{
	struct hd_text text = { 0 };

	hd_put(&text, "%s", status == MHD_HTTP_OK ? "" : "There is no such page; there are\n\n");
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		hd_put(&text, "%-22s %s\n", pages[i].path, pages[i].what);
	hd_put(&text, "%-22s %s\n", "/debug/maptrace", "lines, as they come");
	return answer(connection, status, "text/plain", &text);
}

// --- Lines. ---

static ssize_t stream_read(void *context, uint64_t position, char *buffer, size_t size)
{
	struct stream *s = context;
	size_t taken = hd_listener_take(s->listener, buffer, size);

	(void)position;
	if (taken)
		return (ssize_t)taken;
	pthread_mutex_lock(&lock);
	s->is_waiting = true;
	MHD_suspend_connection(s->connection);
	pthread_mutex_unlock(&lock);
	return 0;
}

static void stream_end(void *context)
{
	struct stream *s = context;

	pthread_mutex_lock(&lock);
	hd_listener_end(s->listener);
	*s = (struct stream){ .listener = NULL };
	pthread_mutex_unlock(&lock);
}

static struct stream *stream_begin(struct MHD_Connection *connection)
{
	struct stream *s = NULL;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < STREAMS && !s; i++)
		s = streams[i].listener ? NULL : &streams[i];
	if (s) {
		s->listener = hd_listen();
		s->connection = connection;
		s->is_waiting = false;
		s = s->listener ? s : NULL;
	}
	pthread_mutex_unlock(&lock);
	return s;
}

static enum MHD_Result serve_lines(struct MHD_Connection *connection)
{
	struct stream *s = stream_begin(connection);
	struct hd_text text = { 0 };
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!s) {
		hd_put(&text, "Too many listen already.\n");
		return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain", &text);
	}
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BYTES, stream_read, s,
						     stream_end);
	if (!response) {
		stream_end(s);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

void hd_serve_lines(void)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < STREAMS; i++) {
		struct stream *s = &streams[i];

		if (s->listener && s->is_waiting && hd_listener_has(s->listener)) {
			s->is_waiting = false;
			MHD_resume_connection(s->connection);
		}
	}
	pthread_mutex_unlock(&lock);
}

// --- Requests. ---

/** A page of another site must not read ours through a browser that is on this machine. */
static bool is_local(struct MHD_Connection *connection)
{
	static const char *const hosts[] = { "localhost", "127.0.0.1", "[::1]" };
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

	for (size_t i = 0; host && i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t size = strlen(hosts[i]);

		if (!strncmp(host, hosts[i], size) && (!host[size] || host[size] == ':'))
			return true;
	}
	return !host;
}

static enum MHD_Result serve(void *context, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload,
			     size_t *upload_size, void **state)
{
	struct hd_text text = { 0 };

	(void)version;
	if ((context || is_local(connection)) && !strcmp(url, "/debug/pprof/symbol"))
		return symbols(connection, upload, upload_size, state);
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		hd_put(&text, "Nothing can be changed here.\n");
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", &text);
	}
	if (!context && !is_local(connection)) {
		hd_put(&text, "Ask for this machine by localhost.\n");
		return answer(connection, MHD_HTTP_FORBIDDEN, "text/plain", &text);
	}
	if (!strcmp(url, "/debug/maptrace"))
		return serve_lines(connection);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(url, pages[i].path) != 0)
			continue;
		pages[i].fill(connection, &text);
		return answer(connection, MHD_HTTP_OK, pages[i].type, &text);
	}
	return list_pages(connection, !strcmp(url, "/") ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND);
}

/** A socket file that nobody listens at any more is in the way. */
static int unix_socket(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct stat file;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(at.sun_path)) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	if (lstat(path, &file) == 0 && S_ISSOCK(file.st_mode)) {
		if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0) {
			close(fd);
			return -1;
		}
		unlink(path);
	}
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || chmod(path, 0600) != 0 ||
	    listen(fd, CONNECTIONS) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

enum {
	FLAGS =
	    MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC,
};

static struct MHD_Daemon *serve_unix(const char *path)
{
	static int is_unix;
	int fd = unix_socket(path);

	if (fd < 0)
		return NULL;
	return MHD_start_daemon(FLAGS, 0, NULL, NULL, serve, &is_unix, MHD_OPTION_LISTEN_SOCKET, fd,
				MHD_OPTION_NOTIFY_COMPLETED, request_end, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
}

static struct MHD_Daemon *serve_port(const char *where)
{
	uint16_t port = htons((uint16_t)strtoul(strrchr(where, ':') + 1, NULL, 10));
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
					.sin_port = port,
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
					 .sin6_port = port,
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool is_v6 = where[0] == '[';

	return MHD_start_daemon(FLAGS | (is_v6 ? MHD_USE_IPv6 : 0), ntohs(port), NULL, NULL, serve,
				NULL, MHD_OPTION_SOCK_ADDR,
				is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
				MHD_OPTION_NOTIFY_COMPLETED, request_end, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_END);
}

bool hd_serve(const char *where)
{
	struct MHD_Daemon *daemon =
	    !strncmp(where, "unix:", 5) ? serve_unix(where + 5) : serve_port(where);

	if (!daemon)
		hd_line("libhmap: http=%s cannot be served: is somebody else there?", where);
	return daemon;
}
