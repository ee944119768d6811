// Goal: a command is started and its end is seen; its children and theirs are found, and only they.
// Method: shells that start others and wait.
#include "base/vec.h"
#include "cli/child.h"
#include "cli/interrupt.h"
#include "cli/proc_file.h"
#include "cli/process_tree.h"
#include "tests/support/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const double PATIENCE_S = 20;

static void wait_for_end(struct ms_child *child)
{
	double until = ms_clock_now() + PATIENCE_S;

	while (!child->ended && ms_clock_now() < until) {
		usleep(2000);
		ms_child_poll(child);
	}
	CHECK(child->ended);
}

static struct ms_error *start(const char *script, struct ms_child *ret_child)
{
	char *words[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };

	return ms_child_start(words, ret_child);
}

MS_TEST(child_ends_with_its_own_code)
{
	struct ms_child child;

	unsetenv("SUDO_UID");
	CHECK_OK(start("exit 42", &child));
	wait_for_end(&child);
	CHECK(WIFEXITED(child.status));
	CHECK_EQ(WEXITSTATUS(child.status), 42);
	CHECK_OK(start("kill -9 $$", &child));
	wait_for_end(&child);
	CHECK(WIFSIGNALED(child.status));
	CHECK_EQ(WTERMSIG(child.status), SIGKILL);
}

MS_TEST(child_that_cannot_be_started_is_an_error)
{
	struct ms_child child = { .pid = 7 };
	char *words[] = { (char *)"/no/such/command", NULL };

	unsetenv("SUDO_UID");
	CHECK_ERR(ms_child_start(words, &child), MS_ERR_IO);
	CHECK_EQ(child.pid, 7);
}

MS_TEST(child_of_a_user_that_makes_no_sense_is_refused)
{
	struct ms_child child;

	if (geteuid() != 0)
		SKIP("only root becomes another user");
	setenv("SUDO_UID", "12x", 1);
	setenv("SUDO_GID", "12", 1);
	CHECK_ERR(start("true", &child), MS_ERR_USAGE);
	setenv("SUDO_UID", "12", 1);
	unsetenv("SUDO_GID");
	CHECK_ERR(start("true", &child), MS_ERR_USAGE);
}

static bool holds(const struct ms_pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->count; i++) {
		if (pids->items[i] == pid)
			return true;
	}
	return false;
}

MS_TEST(process_tree_finds_children_and_theirs)
{
	double until = ms_clock_now() + PATIENCE_S;
	struct ms_pids pids = { 0 };
	struct ms_child child;

	unsetenv("SUDO_UID");
	CHECK_OK(ms_process_tree(getpid(), &pids));
	CHECK_EQ(pids.count, 0);
	// A shell with a shell below it, which has two sleepers; the shell above one more.
	CHECK_OK(start("sh -c 'sleep 60 & sleep 61; true' & sleep 62; true", &child));
	do {
		usleep(2000);
		CHECK_OK(ms_process_tree(getpid(), &pids));
	} while (pids.count < 5 && ms_clock_now() < until);
	CHECK_EQ(pids.count, 5);
	CHECK(holds(&pids, child.pid) && !holds(&pids, getpid()) && !holds(&pids, getppid()));
	for (size_t i = 0; i < pids.count; i++) {
		CHECK(ms_proc_start_ticks(pids.items[i]) != MS_UNKNOWN);
		kill(pids.items[i], SIGKILL);
	}
	wait_for_end(&child);
	ms_vec_free(&pids);
}

MS_TEST(proc_start_ticks_name_one_process)
{
	uint64_t own = ms_proc_start_ticks(getpid());

	CHECK(own != MS_UNKNOWN && own > 0);
	CHECK_EQ(ms_proc_start_ticks(getpid()), own);
	CHECK_EQ(ms_proc_start_ticks(0), MS_UNKNOWN);
}
