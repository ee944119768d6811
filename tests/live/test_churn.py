"""Censuses one after the other while the process works at full speed, and sudden ends."""
import random
import signal
import subprocess
import time

import builds
import compare
import targets
from harness import Failure, add, note, require

LATEST_KILL_S = 0.06
SEED = 20240229


def every_pass_is_exact(release, variant, passes, *more):
    """The listed maps are all there, exactly, in each of the passes."""
    binary = builds.go_program('truth', release, variant)
    with targets.Truth(binary, '-maps', 2000, '-growing', '-largest', 20000, '-stack', 50,
                       '-churn', 2, '-gc', '-decoys', 2000, *more) as target:
        unlisted = changed = 0
        before = target.ask('count')['counter']
        for number in range(passes):
            try:
                document = targets.census(target.pid)
                by_address = compare.require_sound(document)
                compare.require_listed(target, by_address)
                compare.require_no_decoys(target, by_address, collected=False)
            except Failure as failure:
                raise Failure(f'pass {number + 1} of {passes}: {failure}')
            unlisted += len(compare.strangers(target, by_address))
            changed += document['coverage']['changed']
        require(target.ask('count')['counter'] > before, 'the churn stood still')
        target.require_intact()
        target.finish()
    note(f'go{release} {variant}: {passes} passes, {unlisted / passes:.0f} maps of the churn in '
         f'each, {changed} rows moved while they were read')


def garbage_under_collection(release, passes):
    """Maps dead for more than one collection are in no census, swept or not."""
    binary = builds.go_program('truth', release, 'stripped')
    with targets.Truth(binary, '-maps', 500, '-garbage', 3000, '-gc') as target:
        target.ask('gc')
        for _ in range(passes):
            by_address = compare.require_sound(targets.census(target.pid))
            compare.require_listed(target, by_address)
            compare.require_no_decoys(target, by_address, collected=True)
        target.finish()


def target_is_killed(release, times):
    """However late the target dies, the tool ends with a sentence and an exit code of its own."""
    binary = builds.go_program('truth', release, 'stripped')
    chance, codes = random.Random(SEED), {}
    for _ in range(times):
        with targets.Truth(binary, '-maps', 3000, '-churn', 1) as target:
            tool = subprocess.Popen([targets.TOOL, 'maps', str(target.pid), '--json'],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(chance.uniform(0, LATEST_KILL_S))  # The moment is meant to be random.
            target.kill()
            try:
                said = tool.communicate(timeout=20)[1]
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.communicate()
                raise Failure('the tool hangs on a process that is gone')
            require(tool.returncode in (0, 4, 5), f'exit code {tool.returncode}: {said}')
            require(tool.returncode == 0 or said.strip(), f'exit code {tool.returncode} in silence')
            codes[tool.returncode] = codes.get(tool.returncode, 0) + 1
    note(f'go{release}: the target was killed {times} times, exit codes {codes}')


def tool_is_killed(release, times):
    """The target goes on, untraced and unharmed, whenever the tool dies."""
    binary = builds.go_program('truth', release, 'stripped')
    chance = random.Random(SEED + 1)
    with targets.Truth(binary, '-maps', 3000, '-growing', '-largest', 20000, '-churn', 2,
                       '-gc') as target:
        for _ in range(times):
            tool = subprocess.Popen([targets.TOOL, 'maps', str(target.pid), '--json'],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, LATEST_KILL_S))  # The moment is meant to be random.
            tool.send_signal(signal.SIGKILL)
            tool.wait()
            before = target.ask('count')['counter']
            while target.ask('count')['counter'] <= before:
                require(target.alive(), 'the target died')
            with open(f'/proc/{target.pid}/status') as f:
                status = dict(line.rstrip('\n').split(':', 1) for line in f if ':' in line)
            require(status['TracerPid'].strip() == '0', 'the target is still traced')
        target.require_intact()
        compare.require_listed(target, compare.require_sound(targets.census(target.pid)))
        target.finish()


def becomes_another(release, times):
    """A target that turns into another program is gone, and the tool says so."""
    binary = builds.go_program('truth', release, 'stripped')
    after, chance = builds.c_program('odd'), random.Random(SEED + 2)
    for _ in range(times):
        with targets.Truth(binary, '-maps', 3000) as target:
            tool = subprocess.Popen([targets.TOOL, str(target.pid), '--seconds', '30', '--json'],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(chance.uniform(0, 1))  # The moment is meant to be random.
            target.send(f'exec {after}')
            try:
                said = tool.communicate(timeout=20)[1]
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.communicate()
                raise Failure('the tool hangs on a process that became another')
            require(tool.returncode in (3, 4, 5), f'exit code {tool.returncode}: {said}')
            require(said.strip(), f'exit code {tool.returncode} in silence')


for _release in ('1.19.4', '1.24.13', builds.NEWEST):
    add(f'churn/go{_release}/10 passes', 'check', every_pass_is_exact, _release, 'stripped', 10)
add(f'churn/go{builds.NEWEST}/race', 'check', every_pass_is_exact, builds.NEWEST, 'race', 3)
add('churn/go1.23.12/unmapping', 'check', every_pass_is_exact, '1.23.12', 'stripped', 5, '-unmap')
add(f'garbage/go{builds.NEWEST}', 'check', garbage_under_collection, builds.NEWEST, 5)
add('garbage/go1.19.4', 'check', garbage_under_collection, '1.19.4', 5)
add('kill/target', 'check', target_is_killed, builds.NEWEST, 10)
add('kill/mapscope', 'check', tool_is_killed, '1.24.13', 10)
add('kill/exec', 'check', becomes_another, '1.24.13', 3)
for _release in builds.RELEASES:
    add(f'churn/go{_release}/1,000 passes', 'long', every_pass_is_exact, _release, 'stripped', 1000)
    add(f'garbage/go{_release}/100 passes', 'long', garbage_under_collection, _release, 100)
add('kill/target, 100 times', 'long', target_is_killed, '1.23.12', 100)
add('kill/mapscope, 100 times', 'long', tool_is_killed, builds.NEWEST, 100)
