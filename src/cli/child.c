// child.c - fork, become the invoking user, exec.
//
// Why exec failed is only known in the child.  It goes through a pipe that exec closes: an empty
// pipe means that the command runs.
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/** Whom the command is to run as. */
struct user {
	bool other; // Not as whom we run.
	uid_t uid;
	gid_t gid;
	char *name; // For the supplementary groups; NULL: only the group above.
};

/** What the child has to say when it could not become the command. */
struct failure {
	int number;
	enum { AT_USER = 1, AT_EXEC } at;
};

static bool parse_id(const char *text, unsigned *ret_id)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	if (!text || *text < '0' || *text > '9' || *end || errno || value >= UINT32_MAX)
		return false;
	*ret_id = (unsigned)value;
	return true;
}

static struct ms_error *invoking_user(struct user *ret_user)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	struct user user = { .other = true };
	struct passwd *entry;

	*ret_user = (struct user){ 0 };
	if (geteuid() != 0 || !uid)
		return NULL;
	if (!parse_id(uid, &user.uid) || !parse_id(gid, &user.gid))
		return ms_error_new(MS_ERR_USAGE,
				    "SUDO_UID and SUDO_GID do not name the user to run the command "
				    "as; type: env -u SUDO_UID mapscope run, to run it as root");
	entry = getpwuid(user.uid);
	if (entry) {
		user.name = strdup(entry->pw_name);
		if (!user.name)
			return ms_error_no_memory();
	}
	*ret_user = user;
	return NULL;
}

static bool become(const struct user *user)
{
	if (!user->other)
		return true;
	if (user->name ? initgroups(user->name, user->gid) : setgroups(1, &user->gid))
		return false;
	return setgid(user->gid) == 0 && setuid(user->uid) == 0;
}

/** In the child; does not return. */
__attribute__((noreturn)) static void run_command(char **command, const struct user *user, int fd)
{
	struct failure failure = { .at = AT_USER };
	ssize_t written;

	signal(SIGPIPE, SIG_DFL); // What is ignored would stay so over exec.
	if (become(user)) {
		failure.at = AT_EXEC;
		execvp(command[0], command);
	}
	failure.number = errno;
	written = write(fd, &failure, sizeof(failure));
	(void)written;
	_exit(EXIT_FAILURE);
}

/** What the child says, or NULL when it became the command. */
static struct ms_error *hear(int fd, const char *name)
{
	struct failure failure;
	ssize_t n;

	do
		n = read(fd, &failure, sizeof(failure));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(failure))
		return NULL;
	if (failure.at == AT_USER)
		return ms_error_errno(MS_ERR_IO, failure.number,
				      "could not become the user who called sudo");
	return ms_error_errno(MS_ERR_IO, failure.number, "could not start %s", name);
}

static struct ms_error *start_as(const struct user *user, char **command,
				 struct ms_child *ret_child)
{
	int ends[2] = { -1, -1 };
	struct ms_error *err = NULL;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ms_error_errno(MS_ERR_IO, errno, "could not start %s", command[0]);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = fork();
	if (pid == 0)
		run_command(command, user, ends[1]);
	if (pid < 0)
		err = ms_error_errno(MS_ERR_IO, errno, "could not start %s", command[0]);
	close(ends[1]);
	if (!err)
		err = hear(ends[0], command[0]);
	close(ends[0]);
	if (err && pid > 0)
		waitpid(pid, NULL, 0);
	if (!err)
		*ret_child = (struct ms_child){ .pid = pid };
	return err;
}

struct ms_error *ms_child_start(char **command, struct ms_child *ret_child)
{
	struct user user;
	struct ms_error *err = invoking_user(&user);

	if (!err)
		err = start_as(&user, command, ret_child);
	free(user.name);
	return err;
}

void ms_child_poll(struct ms_child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->ended = true;
		child->status = status;
	}
}
