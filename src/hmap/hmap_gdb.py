"""gdb commands and pretty printers for the maps of libhmap (gdb 12 or later).

    (gdb) source hmap_gdb.py        gdb does it by itself where libhmap is installed as a library
    (gdb) hmap list                 all maps of the process
    (gdb) hmap show sessions        one of them
    (gdb) hmap chains sessions      how its table is filled
    (gdb) print sessions            pretty printers, where there is debug information

Maps are found as hmap_registry.h says: an ELF note in a program or library that is mapped leads to
the registry, and that to the maps.  So neither symbols nor debug information are needed, and a core
will do as well as a process.  What the registry says of its own members is taken from there; how a
table lies in memory it does not say, so that is copied below, and used only with a library of the
same version.

Whatever is read may be damaged, half written, or made to deceive.  It is never called and never
evaluated; every loop has a bound; what cannot be is one sentence (Bad), not a traceback.
"""
import collections
import re
import struct
import time

import gdb
import gdb.printing

# -----------------------------------------------------------------------------------------------
# Copied from the headers.  Each name is the macro's or the enumerator's own: tests/hmap/gdb.sh
# prints what the headers have for each, and fails where this differs.

HMAP_NOTE_OWNER = 'hmap'
HMAP_NOTE_REGISTRY = 1
HMAP_REGISTRY_COOKIE = 'libhmap registry'
HMAP_REGISTRY_VERSION = 1
HMAP_REGISTRY_LEAVES = 26
HMAP_REGISTRY_FIRST_LEAF = 64
HMAP_VERSION_MAJOR, HMAP_VERSION_MINOR, HMAP_VERSION_PATCH = 0, 1, 0
HMAP_PASS_GROW, HMAP_PASS_COMPACT, HMAP_PASS_SHRINK = 1, 2, 3
(HMAP_FIELD_TYPE, HMAP_FIELD_NAME, HMAP_FIELD_CREATED_AT, HMAP_FIELD_CLASSIC, HMAP_FIELD_COUNT,
 HMAP_FIELD_GROUPS, HMAP_FIELD_LOW, HMAP_FIELD_PASS, HMAP_FIELD_GROW_AT, HMAP_FIELD_STATE,
 HMAP_FIELD_NODES, HMAP_FIELD_BYTES, HMAP_FIELD_GROWTHS, HMAP_FIELD_COMPACTIONS,
 HMAP_FIELD_SHRINKS, HMAP_FIELD_COMPACTED) = range(16)
(HMAP_FIELD_TYPE_NAME, HMAP_FIELD_TYPE_KEY_NAME, HMAP_FIELD_TYPE_VALUE_NAME,
 HMAP_FIELD_TYPE_KEY_SIZE, HMAP_FIELD_TYPE_VALUE_SIZE) = range(16, 21)
(HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_CLASSIC_B, HMAP_FIELD_CLASSIC_OVERFLOW,
 HMAP_FIELD_CLASSIC_OLD, HMAP_FIELD_CLASSIC_EVACUATED, HMAP_FIELD_CLASSIC_FLAGS,
 HMAP_FIELD_CLASSIC_LOAD, HMAP_FIELD_CLASSIC_BYTES, HMAP_FIELD_CLASSIC_GROWTHS,
 HMAP_FIELD_CLASSIC_COMPACTIONS, HMAP_FIELD_TAGS) = range(21, 32)
# hmap_table.h and hmap_tags.h: the table of the steady engine.
HMAP_GROUP_SLOTS = 14
HMAP_GROUP_BYTES = 16
HMAP_BLOCK_GROUPS = 4
HMAP_TAG_LINK = 1
HMAPI_COUNT = 15
HMAPI_COUNT_MAX = 255
HMAPI_SLOT_MOST = 1024
HMAPI_LEAF = 1024
HMAPI_KEY_BY_REFERENCE, HMAPI_VALUE_BY_REFERENCE = 1, 2
HMAPI_SEGMENTS = 2
HMAPI_SEGMENT_BYTES = 65536
# hmap_classic.h: the buckets of the classic engine.
HMAP_GO_BUCKET_COUNT = 8
HMAP_GO_DATA_OFFSET = 8
HMAP_GO_EMPTY_ONE = 1
HMAP_GO_MIN_TOP_HASH = 5
HMAP_GO_SAME_SIZE_GROW = 8

# Members by struct: offset and size.
LAYOUT = {
    'hmap_registry': {
        'cookie': (0, 16), 'version': (16, 4), 'size': (20, 4), 'library': (24, 16),
        'changes': (40, 8), 'maps': (48, 8), 'unlisted': (72, 8), 'used': (88, 8),
        'unborn_mask': (96, 8), 'group_slots': (108, 4), 'leaf_count': (112, 4),
        'field_count': (116, 4), 'leaves': (120, 208), 'fields': (328, 320),
    },
    'hmap': {
        'tags': (0, 8), 'slots': (8, 8), 'block_mask': (120, 4), 'shape': (144, 44),
        'segments': (272, 8), 'segment_shift': (280, 4), 'segment_slots_at': (284, 4),
        'created_at': (432, 8),
    },
    'hmap_shape': {
        'value_at': (8, 4), 'slot_size': (16, 4), 'links': (24, 4), 'node_slots': (28, 4),
        'node_slots_at': (32, 4), 'node_size': (36, 4), 'flags': (40, 4),
    },
    'hmapi_node': {'next': (0, 8), 'tags': (8, 8)},
    'hmap_classic': {
        'h.buckets': (16, 8), 'h.oldbuckets': (24, 8), 'keysize': (80, 4), 'elemsize': (84, 4),
        'bucketsize': (88, 4), 'elems_at': (92, 4), 'indirectkey': (97, 1),
        'indirectelem': (98, 1),
    },
    'hmap_safe': {'map': (0, 8)},
    'hmap_string': {'text': (0, 8), 'length': (8, 4)},
}

# -----------------------------------------------------------------------------------------------
# Bounds.

READ_MOST = 1 << 24        # bytes at once
MODULES_MOST = 4096        # programs and libraries looked at
PROGRAM_HEADERS_MOST = 64
NOTE_BYTES_MOST = 16 << 10
REGISTRY_BYTES_MOST = 64 << 10
MEMBERS_END_MOST = 4096    # no struct of libhmap is that large
MAPS_MOST = 1 << 20
GROUPS_MOST = 1 << 40
NODES_MOST = 1 << 20       # of one chain
CHUNK = 1 << 16            # bytes of a table at once
TEXT_MOST = 64
BYTES_SHOWN = 32           # of a key or value whose type is not known
ENTRIES_MOST = 10000       # where print elements is unlimited
REASONS_MOST = 5
COLUMN = 40                # stars of a histogram


class Bad(Exception):
    """What cannot be read, or cannot be: a sentence without its full stop."""


def read(address, size):
    if not 0 < address < (1 << 64) - size or not 0 <= size <= READ_MOST:
        raise Bad(f'there can be nothing at {address:#x}')
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size)) if size else b''
    except gdb.error:
        raise Bad(f'the memory at {address:#x} cannot be read') from None


def number(raw, offset, size, order):
    return int.from_bytes(raw[offset:offset + size], order)


def pointer_at(address, order):
    return int.from_bytes(read(address, 8), order)


def printable(text):
    """Text of somebody else's: nothing in it moves the cursor, and the terminal has its letters."""
    text = ''.join(c if c.isprintable() else c.encode('unicode_escape').decode() for c in text)
    charset = getattr(gdb, 'host_charset', lambda: 'ascii')()
    return text.encode(charset, 'backslashreplace').decode(charset)


def read_text(address, most=TEXT_MOST):
    """A text that ends with a zero byte, cut to so many bytes; it may end where memory does."""
    raw = b''
    while len(raw) <= most:
        at = address + len(raw)
        raw += read(at, min(most + 1 - len(raw), 4096 - at % 4096))
        if b'\0' in raw:
            return printable(raw[:raw.index(b'\0')].decode('utf-8', 'backslashreplace'))
    return printable(raw[:most].decode('utf-8', 'backslashreplace')) + '...'


class Record:
    """A struct of LAYOUT in memory."""

    def __init__(self, name, address, order):
        self.name, self.order, self.members = name, order, LAYOUT[name]
        self.raw = read(address, max(offset + size for offset, size in self.members.values()))

    def __getitem__(self, member):
        return number(self.raw, *self.members[member], self.order)

    def part(self, member):
        offset, size = self.members[member]
        return self.raw[offset:offset + size]


# -----------------------------------------------------------------------------------------------
# From what is mapped to registries.

def mapped_files():
    """Where the first page of each file that is mapped lies."""
    try:
        text = gdb.execute('info proc mappings', to_string=True)
    except gdb.error:
        return []
    # Start, end, size, offset 0, permissions where gdb knows them, and the file, but no device.
    found = re.findall(r'^ *(0x[0-9a-f]+)(?: +0x[0-9a-f]+){2} +0x0 +(?:[rwxps-]{4} +)?(?!/dev/)/',
                       text, re.M)
    return [int(start, 16) for start in found[:MODULES_MOST]]


def note_sections():
    """Where gdb itself knows a section of our notes: for targets that do not say what is mapped."""
    try:
        text = gdb.execute('info files', to_string=True)
        order = 'big' if 'big' in gdb.execute('show endian', to_string=True) else 'little'
    except gdb.error:
        return []
    found = re.findall(r'(0x[0-9a-f]+) - (0x[0-9a-f]+) is \.note\.hmap', text)
    return [(int(start, 16), int(end, 16) - int(start, 16), order)
            for start, end in found[:MODULES_MOST]]


def segments_of_notes(start):
    """(address, size, order) of the notes of a 64-bit ELF file that is mapped at start."""
    head = read(start, 64)
    if head[:5] != b'\x7fELF\x02' or head[5] not in (1, 2):
        return []
    order = 'little' if head[5] == 1 else 'big'
    table, entry, count = (number(head, *at, order) for at in ((32, 8), (54, 2), (56, 2)))
    if entry != 56 or not 0 < count <= PROGRAM_HEADERS_MOST:
        return []
    raw = read(start + table, count * entry)
    bias, notes = None, []
    for at in range(0, len(raw), entry):
        kind, offset, address, size = (number(raw, at + where, width, order)
                                       for where, width in ((0, 4), (8, 8), (16, 8), (32, 8)))
        if kind == 1 and offset == 0 and bias is None:
            bias = start - address
        if kind == 4:
            notes.append((address, min(size, NOTE_BYTES_MOST), order))
    return [((bias + address) % (1 << 64), size, order) for address, size, order in notes
            if bias is not None]


def registries_in(start, size, order):
    """Addresses that our notes in a segment lead to.  Ours are aligned to 4 bytes."""
    raw, at = read(start, size), 0
    owner = HMAP_NOTE_OWNER.encode() + b'\0'
    while len(raw) - at >= 12:
        name, body, kind = (number(raw, at + where, 4, order) for where in (0, 4, 8))
        body_at = at + 12 + (name + 3) // 4 * 4
        if kind == HMAP_NOTE_REGISTRY and body == 8 and body_at + 8 <= len(raw) and \
                raw[at + 12:at + 12 + name] == owner:
            yield (start + body_at + number(raw, body_at, 8, order)) % (1 << 64)
        at = body_at + (body + 3) // 4 * 4


def find_registries():
    """(registries, why others are none)."""
    addresses, registries, reasons = {}, [], []

    def look(segments):
        for start, size, order in segments:
            addresses.update((a, order) for a in registries_in(start, size, order))

    for start in mapped_files():
        try:
            look(segments_of_notes(start))
        except Bad:
            pass  # Not in the core: it has no note that could be read.
    if not addresses:
        try:
            look(note_sections())
        except Bad:
            pass  # Likewise.
    for address, order in addresses.items():
        try:
            registries.append(Registry(address, order))
        except Bad as bad:
            reasons.append(str(bad))
    return registries, reasons


class Registry:
    """The list of maps of one libhmap, and what it says of its members."""

    def __init__(self, address, order):
        self.address, self.order = address, order
        head = Record('hmap_registry', address, order)
        cookie = head.part('cookie')
        if cookie != HMAP_REGISTRY_COOKIE.encode() and any(cookie):
            raise Bad(f'the registry at {address:#x} is damaged: it does not begin with its mark')
        if head['version'] != HMAP_REGISTRY_VERSION:
            raise Bad(f'the registry at {address:#x} is of version {head["version"]}, which these '
                      'commands do not know')
        fields, at = head['field_count'], LAYOUT['hmap_registry']['fields'][0]
        if not at + 4 * fields <= head['size'] <= REGISTRY_BYTES_MOST or \
                head['leaf_count'] != HMAP_REGISTRY_LEAVES or not 0 < head['group_slots'] <= 256:
            raise Bad(f'the registry at {address:#x} is damaged: its sizes cannot be')
        fields = min(fields, HMAP_FIELD_TAGS)
        raw = read(address + at, 4 * fields)
        self.fields = [(number(raw, 4 * i, 2, order), number(raw, 4 * i + 2, 2, order))
                       for i in range(fields)] + [(0, 0)] * (HMAP_FIELD_TAGS - fields)
        if any(size not in (0, 1, 2, 4, 8) or offset + size > MEMBERS_END_MOST
               for offset, size in self.fields):
            raise Bad(f'the registry at {address:#x} is damaged: its members cannot be')
        self.version = head.part('library').rstrip(b'\0').decode('ascii', 'replace')
        self.group_slots, self.unborn_mask = head['group_slots'], head['unborn_mask']
        self.changing, self.unlisted = head['changes'] % 2, head['unlisted']
        self.used, self.head = head['used'], head

    def bytes_of(self, first, end):
        return max(offset + size for offset, size in self.fields[first:end])

    def addresses(self):
        """Of all maps that are listed."""
        left, leaves, found = self.used, self.head.part('leaves'), []
        if left > MAPS_MOST:
            raise Bad(f'the registry at {self.address:#x} lists {left:,} places, which is damage, '
                      'or more than these commands look at')
        for leaf in range(HMAP_REGISTRY_LEAVES):
            count = min(left, HMAP_REGISTRY_FIRST_LEAF << leaf)
            if not count:
                break
            raw = read(number(leaves, 8 * leaf, 8, self.order), 8 * count)
            sign = '<' if self.order == 'little' else '>'
            found += [word for word in struct.unpack(f'{sign}{count}Q', raw)
                      if word and not word & 1]
            left -= count
        return found

    def knows_tables(self):
        """Whether tables lie as it is copied above."""
        here = f'{HMAP_VERSION_MAJOR}.{HMAP_VERSION_MINOR}.{HMAP_VERSION_PATCH}'
        return self.version == here and \
            self.fields[HMAP_FIELD_CREATED_AT] == LAYOUT['hmap']['created_at']


# -----------------------------------------------------------------------------------------------
# Maps.

PASSES = {HMAP_PASS_GROW: 'grows', HMAP_PASS_COMPACT: 'is tidied up', HMAP_PASS_SHRINK: 'shrinks'}


class Map:
    """One map, with the numbers that hmap_peek would say."""

    def __init__(self, registry, address):
        self.registry, self.address = registry, address
        self.raw = read(address, registry.bytes_of(HMAP_FIELD_TYPE, HMAP_FIELD_TYPE_NAME))
        self.own_name = self.text_at(self.field(HMAP_FIELD_NAME))
        self.created_at = self.field(HMAP_FIELD_CREATED_AT)
        self.read_type(self.field(HMAP_FIELD_TYPE))
        self.done = self.of = self.pass_from = self.pass_to = 0
        self.classic = self.field(HMAP_FIELD_CLASSIC)
        if self.classic:
            self.raw = read(self.classic,
                            registry.bytes_of(HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS))
            self.peek_classic()
        else:
            self.peek_steady()
        self.load = self.entries / self.slots if self.slots else 0

    def field(self, which, raw=None):
        offset, size = self.registry.fields[which]
        return number(self.raw if raw is None else raw, offset, size, self.registry.order)

    def text_at(self, address):
        return read_text(address) if address else None

    def cannot(self, what):
        return Bad(f'the map at {self.address:#x} is damaged, or half written: {what} cannot be')

    def read_type(self, address):
        r = self.registry
        raw = read(address, r.bytes_of(HMAP_FIELD_TYPE_NAME, HMAP_FIELD_CLASSIC_COUNT))
        self.type, self.key_name, self.value_name = (
            self.text_at(self.field(which, raw)) for which in
            (HMAP_FIELD_TYPE_NAME, HMAP_FIELD_TYPE_KEY_NAME, HMAP_FIELD_TYPE_VALUE_NAME))
        self.key_size = self.field(HMAP_FIELD_TYPE_KEY_SIZE, raw)
        self.value_size = self.field(HMAP_FIELD_TYPE_VALUE_SIZE, raw)

    def peek_steady(self):
        self.engine = 'steady'
        born = not self.field(HMAP_FIELD_STATE) & self.registry.unborn_mask
        self.groups = self.field(HMAP_FIELD_GROUPS) if born else 0
        self.entries, self.pass_ = self.field(HMAP_FIELD_COUNT), self.field(HMAP_FIELD_PASS)
        self.slots = self.groups * self.registry.group_slots
        self.grow_at = self.field(HMAP_FIELD_GROW_AT) + 1 if born and not self.pass_ else 0
        self.bytes, self.overflow = self.field(HMAP_FIELD_BYTES), self.field(HMAP_FIELD_NODES)
        self.growths = self.field(HMAP_FIELD_GROWTHS)
        self.compactions = self.field(HMAP_FIELD_COMPACTIONS)
        self.shrinks = self.field(HMAP_FIELD_SHRINKS)
        low = self.field(HMAP_FIELD_LOW)
        if self.groups > GROUPS_MOST or self.pass_ not in (0, *PASSES):
            raise self.cannot('its size')
        if not self.pass_:
            return
        grows, shrinks = self.pass_ == HMAP_PASS_GROW, self.pass_ == HMAP_PASS_SHRINK
        self.pass_from = (2 * low if shrinks else low) * self.registry.group_slots
        self.pass_to = (2 * low if grows else low) * self.registry.group_slots
        groups_done = self.groups - low if grows else 2 * low - self.groups if shrinks else \
            self.field(HMAP_FIELD_COMPACTED)
        self.of, self.done = low // HMAP_BLOCK_GROUPS, groups_done // HMAP_BLOCK_GROUPS
        if not 0 <= self.done <= self.of:
            raise self.cannot('how far it has got')

    def peek_classic(self):
        self.engine = 'classic'
        log2, self.groups = self.field(HMAP_FIELD_CLASSIC_B), 0
        if log2 > 40:
            raise self.cannot('its size')
        self.buckets = 1 << log2
        self.entries = self.field(HMAP_FIELD_CLASSIC_COUNT)
        self.slots = self.buckets * HMAP_GO_BUCKET_COUNT
        self.grow_at = self.buckets * self.field(HMAP_FIELD_CLASSIC_LOAD) // 2 + 1 if log2 else 9
        self.bytes = self.field(HMAP_FIELD_CLASSIC_BYTES)
        self.overflow = self.field(HMAP_FIELD_CLASSIC_OVERFLOW)
        self.growths = self.field(HMAP_FIELD_CLASSIC_GROWTHS)
        self.compactions, self.shrinks = self.field(HMAP_FIELD_CLASSIC_COMPACTIONS), 0
        self.pass_ = 0
        if not self.field(HMAP_FIELD_CLASSIC_OLD):
            return
        same = bool(self.field(HMAP_FIELD_CLASSIC_FLAGS) & HMAP_GO_SAME_SIZE_GROW)
        self.pass_ = HMAP_PASS_COMPACT if same else HMAP_PASS_GROW
        self.pass_to, self.pass_from = self.slots, self.slots if same else self.slots // 2
        self.of = self.pass_from // HMAP_GO_BUCKET_COUNT
        self.done = self.field(HMAP_FIELD_CLASSIC_EVACUATED)
        if not 0 <= self.done <= self.of:
            raise self.cannot('how far it has got')

    @property
    def name(self):
        return self.own_name or '?'

    def stage(self):
        """What is under way; empty: nothing."""
        if not self.pass_:
            return ''
        sizes = f'{self.slots:,} slots' if self.pass_from == self.pass_to else \
            f'{self.pass_from:,} to {self.pass_to:,} slots'
        unit = 'buckets' if self.classic else 'blocks'
        return f'{PASSES[self.pass_]}: {sizes}, {self.done:,} of {self.of:,} {unit}'

    def summary(self):
        stage = self.stage()
        return f'{self.own_name or self.type or "?"}: {self.entries:,} entries in ' \
            f'{self.slots:,} slots, {self.engine}' + (f', {stage}' if stage else '')


class Process:
    """All registries and their maps, as of now."""

    def __init__(self):
        if not gdb.selected_inferior().pid:
            raise Bad('there is no process, and no core')
        self.registries, reasons = find_registries()
        if not self.registries:
            if reasons:
                raise Bad(reasons[0])
            raise Bad('nothing here uses libhmap: no program or library that is mapped has its '
                      'note')
        self.remarks = list(reasons)
        self.places = {}
        for registry in self.registries:
            try:
                self.places.update((a, registry) for a in registry.addresses())
            except Bad as bad:
                self.remarks.append(str(bad))
            if registry.changing:
                self.remarks.append('the list of maps was being changed just now: one may be '
                                    'missing')
            if registry.unlisted:
                self.remarks.append(f'{registry.unlisted:,} maps are in no list, for want of '
                                    'memory')

    def maps(self):
        """(maps, reasons why others could not be read)."""
        found, reasons = [], []
        for address, registry in self.places.items():
            try:
                found.append(Map(registry, address))
            except Bad as bad:
                reasons.append(str(bad))
        return found, reasons

    def at(self, address):
        """The map at an address, or the one that a struct hmap_classic or hmap_safe there is of;
        None: there is none."""
        if address in self.places:
            return Map(self.places[address], address)
        try:
            first = read(address, 8)
        except Bad:
            return None
        for registry in self.registries:
            inner = number(first, *LAYOUT['hmap_safe']['map'], registry.order)
            if self.places.get(inner) is registry:
                return Map(registry, inner)
        return next((m for m in self.maps()[0] if m.classic == address), None)


# -----------------------------------------------------------------------------------------------
# Tables.

# Slots with their tags: a group, a bucket, or what overflows from one.
Run = collections.namedtuple('Run', 'tags address overflows')

# A block of the steady engine or a bucket of the classic one: which array's (empty: the only one),
# its number, its own runs, its chain.
Block = collections.namedtuple('Block', 'array number runs chain')


class SteadyTable:
    """The groups of a steady map, as hmap_table.h draws them."""

    first_tag = 2
    unit, units, block, tags_in_run = 'group', 'groups', 'block', HMAP_GROUP_SLOTS

    def __init__(self, m):
        self.map, self.order = m, m.registry.order
        self.head = Record('hmap', m.address, self.order)
        raw, s = self.head.part('shape'), {}
        for member, place in LAYOUT['hmap_shape'].items():
            s[member] = number(raw, *place, self.order)
        self.slot_size, self.shape = s['slot_size'], s
        self.per_block = self.head['block_mask'] + 1
        if not 1 < s['slot_size'] <= HMAPI_SLOT_MOST or not 1 <= s['node_slots'] <= 8 or \
                not 1 <= s['links'] <= 8 or s['value_at'] > s['slot_size'] or \
                s['node_size'] > 16 * HMAPI_SLOT_MOST or \
                s['node_slots_at'] > s['node_size'] or \
                self.per_block not in (1, HMAP_BLOCK_GROUPS) or m.groups % self.per_block or \
                self.head['segment_shift'] > HMAPI_SEGMENT_BYTES.bit_length():
            raise m.cannot('the shape of its slots')
        if m.groups * (HMAP_GROUP_BYTES + HMAP_GROUP_SLOTS * self.slot_size) > m.bytes:
            raise m.cannot('its size')
        self.blocks_of, self.nodes = m.groups // self.per_block, 0

    def segment(self, segment):
        leaf = pointer_at(self.head['segments'] + 8 * (segment // HMAPI_LEAF), self.order)
        return pointer_at(leaf + 8 * (segment % HMAPI_LEAF), self.order)

    def pieces(self):
        """(groups, where their tags are, where their slots are), in order."""
        m, bytes_of = self.map, self.slot_size * HMAP_GROUP_SLOTS
        if not m.field(HMAP_FIELD_STATE) & HMAPI_SEGMENTS:
            step = CHUNK // HMAP_GROUP_BYTES
            for group in range(0, m.groups, step):
                yield (min(step, m.groups - group), self.head['tags'] + group * HMAP_GROUP_BYTES,
                       self.head['slots'] + group * bytes_of)
            return
        step = 1 << self.head['segment_shift']
        for group in range(0, m.groups, step):
            at = self.segment(group // step)
            yield (min(step, m.groups - group), at, at + self.head['segment_slots_at'])

    def blocks(self):
        bytes_of, number_of = self.slot_size * HMAP_GROUP_SLOTS, 0
        for groups, tags_at, slots_at in self.pieces():
            tags = read(tags_at, groups * HMAP_GROUP_BYTES)
            for first in range(0, groups, self.per_block):
                runs = [Run(tags[g * HMAP_GROUP_BYTES:(g + 1) * HMAP_GROUP_BYTES],
                            slots_at + g * bytes_of, False)
                        for g in range(first, min(first + self.per_block, groups))]
                last = runs[-1]
                chain = self.chain(last.address + bytes_of - self.shape['links'] * self.slot_size) \
                    if last.tags[HMAP_GROUP_SLOTS - 1] == HMAP_TAG_LINK else []
                yield Block('', number_of, runs, chain)
                number_of += 1

    def chain(self, link_at):
        node, found = pointer_at(link_at, self.order), []
        while node:
            record = Record('hmapi_node', node, self.order)
            tags = record.part('tags')[:self.shape['node_slots']]
            found.append(Run(tags, node + self.shape['node_slots_at'], True))
            # The map knows how many there are: more is a circle.
            self.nodes += 1
            if self.nodes > self.map.overflow:
                raise self.map.cannot('its chains of overflow')
            node = record['next']
        return found

    def entries_in(self, run):
        if run.overflows:
            return len(run.tags) - run.tags.count(0)
        return HMAP_GROUP_SLOTS - run.tags.count(0, 0, HMAP_GROUP_SLOTS) \
            - run.tags.count(HMAP_TAG_LINK, 0, HMAP_GROUP_SLOTS)

    def key_and_value(self, run, i):
        """Where the key and the value of a slot are."""
        slot = run.address + i * self.slot_size
        value, flags = slot + self.shape['value_at'], self.shape['flags']
        return (pointer_at(slot, self.order) if flags & HMAPI_KEY_BY_REFERENCE else slot,
                pointer_at(value, self.order) if flags & HMAPI_VALUE_BY_REFERENCE else value)



class ClassicTable:
    """The buckets of a classic map, as hmap_classic.h draws them: of the old array those that were
    not moved yet, of the new one those that are in use."""

    first_tag = HMAP_GO_MIN_TOP_HASH
    unit, units, block, tags_in_run = 'bucket', 'buckets', 'bucket', HMAP_GO_BUCKET_COUNT

    def __init__(self, m):
        self.map, self.order = m, m.registry.order
        self.head = h = Record('hmap_classic', m.classic, self.order)
        self.size = h['bucketsize']
        slots = HMAP_GO_BUCKET_COUNT * (h['keysize'] + h['elemsize'])
        if not HMAP_GO_DATA_OFFSET + slots + 8 <= self.size <= 8 * HMAPI_SLOT_MOST or \
                HMAP_GO_DATA_OFFSET + slots > h['elems_at'] + 8 * h['elemsize']:
            raise m.cannot('the shape of its buckets')
        self.old_buckets = m.of if m.pass_ else 0
        self.new_buckets = m.buckets if h['h.buckets'] else 0
        self.blocks_of = self.new_buckets + self.old_buckets
        if self.blocks_of * self.size > m.bytes:
            raise m.cannot('its size')

    def array(self, at, count):
        """(number, its bytes, where it is) of each bucket."""
        step = max(CHUNK // self.size, 1)
        for first in range(0, count, step):
            raw = read(at + first * self.size, min(step, count - first) * self.size)
            for i in range(len(raw) // self.size):
                yield (first + i, raw[i * self.size:(i + 1) * self.size],
                       at + (first + i) * self.size)

    def blocks(self):
        moved = bytearray(self.old_buckets)
        for n, raw, at in self.array(self.head['h.oldbuckets'], self.old_buckets):
            if HMAP_GO_EMPTY_ONE < raw[0] < HMAP_GO_MIN_TOP_HASH:
                moved[n] = 1
            else:
                yield self.bucket('old ', n, raw, at)
        for n, raw, at in self.array(self.head['h.buckets'], self.new_buckets):
            if not moved or moved[n % len(moved)]:
                yield self.bucket('', n, raw, at)

    def bucket(self, array, n, raw, at):
        first, chain = Run(raw[:HMAP_GO_BUCKET_COUNT], at, False), []
        while True:
            at = number(raw, self.size - 8, 8, self.order)
            if not at:
                return Block(array, n, [first], chain)
            # All of a map's memory is counted: more overflow than fits into it is a circle.
            if len(chain) >= min(self.map.bytes // self.size, NODES_MOST):
                raise self.map.cannot('its chains of overflow')
            raw = read(at, self.size)
            chain.append(Run(raw[:HMAP_GO_BUCKET_COUNT], at, True))

    def entries_in(self, run):
        return sum(tag >= HMAP_GO_MIN_TOP_HASH for tag in run.tags)

    def key_and_value(self, run, i):
        h = self.head
        key, value = (run.address + HMAP_GO_DATA_OFFSET + i * h['keysize'],
                      run.address + h['elems_at'] + i * h['elemsize'])
        return (pointer_at(key, self.order) if h['indirectkey'] else key,
                pointer_at(value, self.order) if h['indirectelem'] else value)


def table_of(m):
    if not m.registry.knows_tables():
        raise Bad(f'the tables of libhmap {m.registry.version} are not known here: these commands '
                  f'are of {HMAP_VERSION_MAJOR}.{HMAP_VERSION_MINOR}.{HMAP_VERSION_PATCH}')
    return ClassicTable(m) if m.classic else SteadyTable(m)


def entries(t):
    """(where it is in words, run, slot) of each entry of a table."""
    for block in t.blocks():
        for k, run in enumerate(block.runs + block.chain):
            where = f'{block.array}{t.block} {block.number} overflow' if run.overflows else \
                f'{block.array}{t.unit} {block.number * len(block.runs) + k}'
            for i, tag in enumerate(run.tags[:t.tags_in_run]):
                if tag >= t.first_tag:
                    yield where, run, i


# -----------------------------------------------------------------------------------------------
# Commands.

class Command(gdb.Command):
    """What all have in common: what is wrong is said in one sentence."""

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        self.dont_repeat()
        try:
            self.run(argument)
        except Bad as bad:
            text = str(bad).rstrip('.')
            raise gdb.GdbError(f'{text[0].upper()}{text[1:]}.') from None
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None


class Hmap(gdb.Command):
    """Maps of libhmap: hmap list, hmap show, hmap chains.

They read the memory of a process or a core, and change and call nothing.  A program needs neither
symbols nor debug information for it."""

    def __init__(self):
        super().__init__('hmap', gdb.COMMAND_DATA, prefix=True)


def table(rows, right):
    """Lines of columns; those in `right` are numbers."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [('  '.join(cell.rjust(width) if i in right else cell.ljust(width)
                       for i, (cell, width) in enumerate(zip(row, widths)))).rstrip()
            for row in rows]


class List(Command):
    """List all maps of libhmap in the process or core, the largest first.

Usage: hmap list

A row has the map's address, its name (?: it has none), the name of its type, its engine, entries,
slots, entries per slot, growths so far, bytes of memory, and what is under way.  Keys and values
are not looked at."""

    name = 'hmap list'

    def run(self, argument):
        if argument.strip():
            raise Bad('there is no argument to hmap list')
        process = Process()
        maps, reasons = process.maps()
        maps.sort(key=lambda m: (-m.bytes, m.address))
        rows = [('address', 'name', 'type', 'engine', 'entries', 'slots', 'load', 'growths',
                 'bytes', 'under way')]
        rows += [(f'{m.address:#x}', m.name, m.type or '?', m.engine, f'{m.entries:,}',
                  f'{m.slots:,}', f'{m.load:.2f}', f'{m.growths:,}', f'{m.bytes:,}', m.stage())
                 for m in maps]
        lines = table(rows, range(4, 9)) if maps else []
        lines.append(f'{len(maps):,} maps, {sum(m.entries for m in maps):,} entries, '
                     f'{sum(m.bytes for m in maps):,} bytes')
        remarks = process.remarks + reasons[:REASONS_MOST]
        if len(reasons) > REASONS_MOST:
            remarks.append(f'{len(reasons) - REASONS_MOST:,} more maps could not be read')
        lines += [f'Note: {remark}.' for remark in remarks]
        gdb.write('\n'.join(lines) + '\n')



def chosen(argument):
    """The map that a name, an address or an expression of gdb's means."""
    argument = argument.strip()
    if not argument:
        raise Bad('which map? A name, an address or an expression, as hmap list has them')
    process = Process()
    named = [] if re.fullmatch('0x[0-9a-f]+', argument) else \
        [m for m in process.maps()[0] if m.own_name and m.own_name == argument]
    if len(named) == 1:
        return named[0]
    if named:
        raise Bad(f'{len(named):,} maps have this name; choose by address: ' +
                  ', '.join(f'{m.address:#x}' for m in named[:REASONS_MOST]) +
                  (' and others' if len(named) > REASONS_MOST else ''))
    try:
        value = gdb.parse_and_eval(argument)
    except gdb.error as error:
        raise Bad(f'no map is named {argument}, and it is no expression: {error}') from None
    address = address_of(value)
    m = process.at(address) if address is not None else None
    if not m:
        raise Bad(f'no map is named {argument}' if address is None else
                  f'no map is at {address:#x}: it was freed, or is not made yet')
    return m


def address_of(value):
    """Where a value points to, or where it is; None: neither."""
    kind = value.type.strip_typedefs().code
    if kind in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_INT):
        return int(value) % (1 << 64)
    if kind == gdb.TYPE_CODE_STRUCT and value.address is not None:
        return int(value.address)
    return None


def made_at(pc):
    """Where a call that returns to an address stands, as far as gdb knows."""
    function = gdb.execute(f'info symbol {pc - 1:#x}', to_string=True).strip()
    line = gdb.find_pc_line(pc - 1)
    words = []
    if not function.startswith('No symbol'):
        words.append('in ' + re.split(r' in section ', function)[0])
    if line.symtab:
        words.append(f'at {line.symtab.filename}:{line.line}')
    return ' '.join(words) or f'before {pc:#x}, where gdb knows no symbol'


def type_named(name, size):
    """gdb's type of a name that the program gives, if it is as large; never evaluated."""
    stars = len(name) - len(name.rstrip('* '))
    base, stars = name.rstrip('* '), name[len(name) - stars:].count('*')
    base = ' '.join(w for w in base.split() if w not in ('const', 'volatile', 'restrict'))
    kind, _, rest = base.partition(' ')
    lookup = {'struct': 'struct ', 'union': 'union ', 'enum': 'enum '}
    if not re.fullmatch(r'[A-Za-z_][\w:<>, ]*', base):
        return None
    try:
        found = gdb.lookup_type(lookup[kind] + rest if kind in lookup else base)
        for _ in range(stars):
            found = found.pointer()
        return found if found.sizeof == size else None
    except gdb.error:
        return None


def shape_of(name, size):
    """A key's or value's type in words, without its bytes."""
    bytes_ = f'{size:,} byte' + ('' if size == 1 else 's')
    return f'{name} ({bytes_})' if name else bytes_


class Shown:
    """How keys, or values, are printed."""

    def __init__(self, name, size, order):
        self.name, self.size, self.order = name, size, order
        self.is_text = name == 'struct hmap_string' and size >= sum(LAYOUT['hmap_string']['length'])
        self.type = type_named(name, size) if name else None

    def shape(self, address):
        if self.is_text:
            length = Record('hmap_string', address, self.order)['length']
            return f'text of {length:,} bytes'
        return shape_of(self.name, self.size)

    def bytes(self, address):
        if self.is_text:
            text = Record('hmap_string', address, self.order)
            raw = read(text['text'], min(text['length'], TEXT_MOST))
            cut = '...' if text['length'] > TEXT_MOST else ''
            return '"' + printable(raw.decode('utf-8', 'backslashreplace')) + '"' + cut
        if self.type:
            pointer = gdb.Value(address).cast(self.type.pointer())
            return pointer.dereference().format_string(max_elements=TEXT_MOST, max_depth=4)
        raw = read(address, min(self.size, BYTES_SHOWN))
        return raw.hex(' ', 4) + ('...' if self.size > BYTES_SHOWN else '')


class Show(Command):
    """Show one map of libhmap: its size, where it was made, what is under way, and its entries.

Usage: hmap show [-keys] NAME|ADDRESS|EXPRESSION

NAME is what hmap list says; otherwise a pointer to a map, typed or not, or its address.

Privacy: what a program keeps in its maps may be personal or secret, and what gdb prints is often
sent to others.  So entries are shown by where they are and by the types and sizes of their keys and
values (and the lengths of texts) alone.  With -keys the bytes of keys and values are printed as
well: by their C types where there is debug information, otherwise as they are in memory.  The number
of entries is limited by "set print elements"."""

    name = 'hmap show'

    def run(self, argument):
        words = argument.split(None, 1)
        with_bytes = bool(words) and words[0] == '-keys'
        m = chosen(' '.join(words[1:]) if with_bytes else argument)
        gdb.write('\n'.join(self.header(m)) + '\n')
        if m.entries and m.registry.knows_tables():
            self.entries(m, with_bytes)
        elif m.entries:
            table_of(m)

    def header(self, m):
        yield f'(struct hmap *) {m.address:#x} {m.summary()}'
        key = shape_of(m.key_name, m.key_size)
        yield f'type       {m.type or "?"}: ' + (
            f'{key} to {shape_of(m.value_name, m.value_size)}' if m.value_size else
            f'a set of {key}')
        yield f'made       {made_at(m.created_at)}' if m.created_at else 'made       ?'
        grow = f', grows when there are {m.grow_at:,}' if m.grow_at else ''
        yield f'load       {m.load:.2f} entries a slot{grow}'
        yield f'memory     {m.bytes:,} bytes' + \
            (f', {m.bytes / m.entries:.1f} an entry' if m.entries else '')
        kind = 'overflow buckets' if m.classic else 'overflow nodes'
        yield f'overflow   {m.overflow:,} {kind}'
        yield f'so far     {m.growths:,} growths, {m.compactions:,} tidyings, ' \
            f'{m.shrinks:,} halvings'
        yield f'under way  {m.stage() or "nothing"}'

    def entries(self, m, with_bytes):
        limit = gdb.parameter('print elements')
        limit = min(limit, ENTRIES_MOST) if limit and limit > 0 else ENTRIES_MOST
        t = table_of(m)
        keys = Shown(m.key_name, m.key_size, m.registry.order)
        values = Shown(m.value_name, m.value_size, m.registry.order)
        shown = 0
        for where, run, i in entries(t):
            if shown == limit:
                break
            shown += 1
            key, value = t.key_and_value(run, i)
            print_ = (lambda s, at: s.bytes(at)) if with_bytes else (lambda s, at: s.shape(at))
            gdb.write(f'[{where}, slot {i}] {print_(keys, key)}' +
                      (f' = {print_(values, value)}' if m.value_size else '') + '\n')
        if shown < m.entries:
            gdb.write(f'... {shown:,} of {m.entries:,} entries' +
                      (' (set print elements)' if shown == limit else '') + '\n')


class Chains(Command):
    """Show how the table of a map of libhmap is filled.

Usage: hmap chains NAME|ADDRESS|EXPRESSION

How many groups of 14 slots (steady) or buckets of 8 (classic) have how many entries; how long the
chains of overflow are; entries outside their group (steady: strays) and slots of erased entries that
are not free for all (classic).  A good hash leaves few chains, and none of them long.  The whole
table is read: a large one takes seconds, and ^C ends it.  Keys and values are not looked at."""

    name = 'hmap chains'

    def run(self, argument):
        m = chosen(argument)
        t = table_of(m)
        per_run = collections.Counter()
        lengths, met, strays, at_least, erased, blocks = [], 0, 0, '', 0, 0
        began = told = time.monotonic()
        for blocks, block in enumerate(t.blocks(), 1):
            for run in block.runs:
                here = t.entries_in(run)
                per_run[here] += 1
                met += here
                if m.classic:
                    erased += run.tags.count(HMAP_GO_EMPTY_ONE)
                else:
                    strays += run.tags[HMAPI_COUNT]
                    at_least = at_least or 'at least ' * (run.tags[HMAPI_COUNT] == HMAPI_COUNT_MAX)
            if block.chain:
                lengths.append(len(block.chain))
                met += sum(t.entries_in(run) for run in block.chain)
                if m.classic:
                    erased += sum(run.tags.count(HMAP_GO_EMPTY_ONE) for run in block.chain)
            if blocks % 4096 == 0 and time.monotonic() - told > 1:
                told = time.monotonic()
                gdb.write(f'... {blocks:,} of {t.blocks_of:,} {t.block}s, '
                          f'{told - began:.0f} s; ^C ends it\n', gdb.STDERR)
                gdb.flush(gdb.STDERR)
        lines = [m.summary(), f'entries a {t.unit}: {t.units}']
        lines += self.histogram(per_run)
        node = 'overflow buckets' if m.classic else 'nodes'
        lines.append(f'chains: {len(lengths):,} of {blocks:,} {t.block}s' + (
            f', {sum(lengths) / len(lengths):.1f} {node} on average, {max(lengths):,} at most'
            if lengths else ''))
        lines.append(f'erased: {erased:,} slots' if m.classic else
                     f'strays: {at_least}{strays:,} entries outside their group')
        lines.append(f'met: {met:,} entries' + (
            ', as many as the map counts' if met == m.entries else
            f', but the map counts {m.entries:,}: it is being written, or damaged'))
        gdb.write('\n'.join(lines) + '\n')

    def histogram(self, counts):
        most = max(counts.values(), default=1)
        for entries_, number_of in sorted(counts.items()):
            yield f'{entries_:>3}  {number_of:>12,}  ' + '*' * -(-COLUMN * number_of // most)


# -----------------------------------------------------------------------------------------------
# Pretty printers.

def is_ours(type_, tag):
    """Others have a struct hmap, too."""
    return type_.code == gdb.TYPE_CODE_STRUCT and type_.tag == tag and \
        {'hmap': 'held_bytes', 'hmap_classic': 'bucketsize',
         'hmap_iterator': 'reserved'}[tag] in (f.name for f in type_.fields())


class MapPrinter:
    """A map, or a pointer to one: what it is, as the list of maps has it."""

    def __init__(self, address, prefix):
        self.address, self.prefix = address, prefix

    def to_string(self):
        if not self.address:
            return f'{self.prefix}0x0'
        at = f', at {self.address:#x}' if self.prefix else ''
        try:
            m = Process().at(self.address)
            text = m.summary() if m else 'no map: freed, or not made yet'
        except Bad as bad:
            text = str(bad)
        return f'{self.prefix}{text}{at}'


class IteratorPrinter:
    """An iteration: over which map."""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        at = 'at an entry' if int(self.value['key']) else 'at no entry'
        return f'{at} of {MapPrinter(int(self.value["map"]), "").to_string()}'


def printer(value):
    """What gdb asks for each value that it prints."""
    type_ = value.type.strip_typedefs().unqualified()
    if type_.code == gdb.TYPE_CODE_PTR:
        to = type_.target().strip_typedefs().unqualified()
        typed = to.code == gdb.TYPE_CODE_STRUCT and [f.name for f in to.fields()] == ['map'] and \
            is_ours(to.fields()[0].type.strip_typedefs(), 'hmap')
        if typed or is_ours(to, 'hmap') or is_ours(to, 'hmap_classic'):
            return MapPrinter(int(value), f'(struct {to.tag} *) ')
        return None
    if is_ours(type_, 'hmap_iterator'):
        return IteratorPrinter(value)
    if is_ours(type_, 'hmap') or is_ours(type_, 'hmap_classic'):
        return MapPrinter(int(value.address), '') if value.address is not None else None
    return None


class Printers(gdb.printing.PrettyPrinter):
    def __call__(self, value):
        return printer(value)


Hmap()
List()
Show()
Chains()
gdb.printing.register_pretty_printer(None, Printers('libhmap'), replace=True)
