// lock_state.c - bits of sync.Mutex and counts of sync.RWMutex (sync/mutex.go, sync/rwmutex.go; the
// meaning is the same from Go 1.18 to 1.27, the places are not: from 1.24 on a sync.Mutex holds an
// internal/sync.Mutex, and RWMutex's counts became atomic.Int32 with 1.20).
//
//	Mutex.state          1 locked, 2 woken, 4 starving, waiters from bit 3 on
//	RWMutex.readerCount  readers that hold it or queue; a writer takes 1 << 30 from it
//	RWMutex.readerWait   readers that the writer still waits for
#include "goroutines/lock_state.h"

#include "golang/named_types.h"
#include "golang/struct_types.h"

enum { LOCKED = 1, STARVING = 4 };

static const int32_t READERS_MAX = 1 << 30;

/** The first of @p paths ("a|b.c") that the type has. */
static bool field_at(const struct ms_types *types, const struct ms_go_layout *l,
		     const struct ms_struct_type *type, const char *paths, uint32_t *ret_offset)
{
	for (const char *path = paths; *path;) {
		size_t size = strcspn(path, "|");
		struct ms_struct_field field;

		if (ms_struct_type_follow(types, l, type, path, size, &field) &&
		    field.offset + 4 <= MS_LOCK_BYTES_MAX) {
			*ret_offset = (uint32_t)field.offset;
			return true;
		}
		path += size + (path[size] == '|');
	}
	return false;
}

static bool type_read(const struct ms_named_types *named, const struct ms_types *types,
		      const struct ms_go_layout *l, const char *name, struct ms_struct_type *ret)
{
	ms_addr address = ms_named_types_find(named, "sync", 4, name, strlen(name));

	return address && ms_struct_type_read(types, l, address, ret) &&
	       ret->bytes <= MS_LOCK_BYTES_MAX;
}

struct ms_error *ms_lock_layout_find(struct ms_go_runtime *rt, struct ms_lock_layout *ret_layout)
{
	struct ms_lock_layout layout = { 0 };
	struct ms_named_types *named = NULL;
	struct ms_struct_type type;
	const struct ms_types *types;
	const struct ms_go_layout *l = rt->layout;
	struct ms_error *err = ms_go_types(rt, &types);

	if (!err)
		err = ms_named_types_create(types, l, &named);
	if (err)
		return err;
	if (type_read(named, types, l, "Mutex", &type)) {
		layout.mutex_bytes = (uint32_t)type.bytes;
		layout.has_mutex =
		    field_at(types, l, &type, "state|mu.state", &layout.mutex_state) &&
		    field_at(types, l, &type, "sema|mu.sema", &layout.mutex_sema);
	}
	if (type_read(named, types, l, "RWMutex", &type)) {
		layout.rw_bytes = (uint32_t)type.bytes;
		layout.has_rw =
		    field_at(types, l, &type, "w", &layout.rw_writer) &&
		    field_at(types, l, &type, "writerSem", &layout.rw_writer_sem) &&
		    field_at(types, l, &type, "readerSem", &layout.rw_reader_sem) &&
		    field_at(types, l, &type, "readerCount.v|readerCount",
			     &layout.rw_reader_count) &&
		    field_at(types, l, &type, "readerWait.v|readerWait", &layout.rw_reader_wait);
	}
	ms_named_types_destroy(named);
	*ret_layout = layout;
	return NULL;
}

static uint32_t semaphore_at(const struct ms_lock_layout *l, const struct ms_wait *wait)
{
	switch ((enum ms_wait_kind)wait->kind) {
	case MS_WAIT_MUTEX:
		return l->mutex_sema;
	case MS_WAIT_READ:
		return l->rw_reader_sem;
	default:
		return wait->queues ? l->rw_writer + l->mutex_sema : l->rw_writer_sem;
	}
}

ms_addr ms_lock_address(const struct ms_lock_layout *l, const struct ms_wait *wait)
{
	if (!ms_wait_is_lock(wait->kind) || !wait->object || !l->has_mutex ||
	    (wait->kind != MS_WAIT_MUTEX && !l->has_rw))
		return 0;
	return wait->object - semaphore_at(l, wait);
}

struct ms_lock_state ms_lock_mutex_parse(const struct ms_lock_layout *l, const uint8_t *raw)
{
	uint32_t state = ms_load_u32(raw + l->mutex_state);

	return (struct ms_lock_state){ .is_locked = state & LOCKED,
				       .is_starving = state & STARVING };
}

bool ms_lock_rw_parse(const struct ms_lock_layout *l, const uint8_t *raw,
		      struct ms_lock_state *ret_state)
{
	int32_t count = (int32_t)ms_load_u32(raw + l->rw_reader_count);
	int32_t wait = (int32_t)ms_load_u32(raw + l->rw_reader_wait);

	if (count >= READERS_MAX || count < -READERS_MAX || wait < 0 || wait >= READERS_MAX ||
	    (count >= 0 && wait))
		return false;
	*ret_state = (struct ms_lock_state){
		.is_locked = count < 0 && !wait,
		.writer_waits = count < 0 && wait,
		.readers = (uint32_t)(count < 0 ? wait : count),
	};
	return true;
}
