// record.c - make a recording of a live Go process.
//
//	record --pid N --out FILE [--full] [--release GO] [--date YYYY-MM-DD] [--note TEXT]
//
// With --full all memory that can be read is kept, so that the recording can also be read with a
// wrong layout; without it, what one census reads.  Give --date to make the same bytes again.
#include "target/record.h"
#include "base/cleanup.h"
#include "census/census_run.h"
#include "image/build_info.h"
#include "image/elf_file.h"
#include "target/process.h"

#include <errno.h>
#include <gelf.h>
#include <getopt.h>
#include <inttypes.h>
#include <libelf.h>
#include <time.h>

enum { COMMAND_MAX = 4096, HEADER_BYTES_MAX = 1 << 20 };

struct arguments {
	pid_t pid;
	bool full;
	const char *out, *release, *date, *note;
};

static void usage(void)
{
	fputs("usage: record --pid N --out FILE [--full] [--release GO] [--date YYYY-MM-DD] "
	      "[--note TEXT]\n",
	      stderr);
}

static bool parse_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "out", required_argument, NULL, 'o' },
		{ "full", no_argument, NULL, 'f' },
		{ "release", required_argument, NULL, 'r' },
		{ "date", required_argument, NULL, 'd' },
		{ "note", required_argument, NULL, 'n' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			args->pid = (pid_t)strtol(optarg, NULL, 10);
			break;
		case 'o':
			args->out = optarg;
			break;
		case 'f':
			args->full = true;
			break;
		case 'r':
			args->release = optarg;
			break;
		case 'd':
			args->date = optarg;
			break;
		case 'n':
			args->note = optarg;
			break;
		default:
			return false;
		}
	}
	return optind == argc && args->pid > 0 && args->out;
}

/** The command line with blanks between its words; "" when it cannot be had. */
static void read_command(pid_t pid, char command[COMMAND_MAX])
{
	char path[64];
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	MS_AUTO_FCLOSE FILE *file = fopen(path, "re");

	if (file)
		size = fread(command, 1, COMMAND_MAX - 1, file);
	while (size > 0 && command[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++) {
		if (command[i] == '\0')
			command[i] = ' ';
	}
	command[size] = '\0';
}

static struct ms_error *keep(struct ms_target *record, uint64_t offset, uint64_t size)
{
	MS_AUTO_FREE uint8_t *buf = NULL;

	if (size == 0)
		return NULL;
	if (size > HEADER_BYTES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "the headers of the executable are over %d KiB",
				    HEADER_BYTES_MAX >> 10);
	buf = malloc(size);
	return buf ? ms_target_exe_read(record, offset, buf, size) : ms_error_no_memory();
}

static void elf_endp(Elf **elf)
{
	if (*elf)
		elf_end(*elf);
}

/** Keep what a reader needs to find its way in the executable, whoever has read it or not. */
static struct ms_error *keep_headers(struct ms_target *record)
{
	MS_CLEANUP(elf_endp) Elf *elf = NULL;
	GElf_Ehdr header;
	GElf_Shdr names = { 0 };
	size_t index;
	struct ms_error *err;

	elf_version(EV_CURRENT);
	elf = elf_begin(ms_target_exe_fd(record), ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &header))
		return ms_error_new(MS_ERR_UNSUPPORTED, "its executable is not an ELF file");
	if (elf_getshdrstrndx(elf, &index) != 0 || !gelf_getshdr(elf_getscn(elf, index), &names))
		names = (GElf_Shdr){ 0 }; // It has no sections: then there is nothing to keep.
	err = keep(record, 0, header.e_ehsize);
	if (!err)
		err = keep(record, header.e_phoff, (uint64_t)header.e_phnum * header.e_phentsize);
	if (!err)
		err = keep(record, header.e_shoff, (uint64_t)header.e_shnum * header.e_shentsize);
	if (!err)
		err = keep(record, names.sh_offset, names.sh_size);
	return err;
}

static void target_destroyp(struct ms_target **t)
{
	ms_target_destroy(*t);
}

/** Read through @p record what one census reads. */
static struct ms_error *take_census(struct ms_target *record)
{
	const struct ms_census_options options = { 0 };
	struct ms_census_report report = { 0 };
	struct ms_go_runtime *rt = NULL;
	struct ms_error *err = ms_go_open(record, NULL, &rt);

	if (!err)
		err = ms_census_run(rt, &options, &report);
	ms_census_report_deinit(&report);
	ms_go_close(rt);
	return err;
}

/** Record and write; what is read of the target goes through @p record. */
static struct ms_error *run(const struct arguments *args, struct ms_target *record,
			    const char *command)
{
	struct ms_record_info info = {
		.release = args->release, .command = command, .date = args->date, .note = args->note
	};
	struct ms_build_info build;
	struct ms_elf elf;
	struct ms_error *err = keep_headers(record);

	if (!err)
		err = ms_elf_open(record, &elf);
	if (err)
		return err;
	info.arch = elf.arch == MS_ARCH_AMD64 ? "amd64" : "arm64";
	if (!info.release) {
		err = ms_build_info_read(record, &elf, &build);
		if (err)
			return ms_error_wrap(err, "give --release");
		info.release = build.version;
	}
	err = args->full ? ms_record_everything(record) : take_census(record);
	if (err)
		return err;
	MS_AUTO_FCLOSE FILE *out = fopen(args->out, "wbe");

	if (!out)
		return ms_error_errno(MS_ERR_IO, errno, "could not write %s", args->out);
	return ms_record_write(record, &info, out);
}

int main(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct ms_process_options options = { .proc_root = "/proc" };
	MS_CLEANUP(target_destroyp) struct ms_target *process = NULL;
	MS_CLEANUP(target_destroyp) struct ms_target *record = NULL;
	MS_AUTO_ERROR struct ms_error *err = NULL;
	char command[COMMAND_MAX], today[16];
	time_t now = time(NULL);
	struct tm tm;

	if (!parse_arguments(argc, argv, &args)) {
		usage();
		return 1;
	}
	if (!args.date && strftime(today, sizeof(today), "%Y-%m-%d", gmtime_r(&now, &tm)))
		args.date = today;
	read_command(args.pid, command);
	err = ms_process_open(args.pid, &options, &process);
	if (!err)
		err = ms_record_create(process, &record);
	if (!err)
		err = run(&args, record, command);
	if (err) {
		fprintf(stderr, "record: %s\n", ms_error_message(err));
		return 1;
	}
	return 0;
}
