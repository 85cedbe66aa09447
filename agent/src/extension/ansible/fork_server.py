"""Runs modules of Ansible, each in a process of its own that starts from a Python which has loaded what all need.

It belongs to muster-agent, holds nothing of Ansible, and finds the ansible-core of this host by importing it. It is
itself the first line of its standard input. Then a line of JSON asks, a line on standard output answers:

    {"module": "ansible.builtin.file", "arguments": {...}, "timeout": seconds, "output": bytes}
    {"code": 0, "stdout": "...", "stderr": "..."}     or   {"refused": "why there is no output"}

The first line that it writes is {"ansible_core": "2.14.18"}. With the argument --once it serves one call in its own
process: the next argument names the module, the rest of its input is its arguments, output and exit code are its own.
"""
import atexit
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import sys
import threading
import time
import traceback

# What nearly every module imports. Loading it is what a call saves.
PRELOADED = (
    'ansible.module_utils.basic',
    'ansible.module_utils.common.text.converters',
    'ansible.module_utils.service',
    'ansible.module_utils.six',
    'glob', 'grp', 'pwd', 're', 'shutil', 'stat', 'subprocess', 'syslog', 'tempfile',
)
COLLECTIONS = ('/usr/share/ansible/collections', '/usr/local/share/ansible/collections')
COMPLAINTS = 16 << 10
COMPILED = 64


class Refused(Exception):
    """There is no output, for this reason."""


class Modules:
    """Where modules stand, and what they compile to while their files stay as they are."""

    def __init__(self):
        import ansible
        self.core = os.path.dirname(os.path.abspath(ansible.__file__))
        self.above = os.path.dirname(self.core)
        self.compiled = {}
        try:
            from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
            # So that modules of collections can import what their collections share.
            _AnsibleCollectionFinder(paths=list(COLLECTIONS))._install()
        except Exception:
            pass

    def find(self, name):
        """The file of a module and its name as Python has it."""
        parts = name.split('.')
        if len(parts) < 3 or not all(part.isidentifier() and part.isascii() for part in parts):
            raise Refused('%s is no name of a module' % name)
        if parts[:2] == ['ansible', 'builtin']:
            folders, inside = [self.core], ['modules'] + parts[2:]
            full = 'ansible.modules.' + '.'.join(parts[2:])
        else:
            shelves = list(COLLECTIONS) + [entry for entry in sys.path if entry]
            folders = [os.path.join(shelf, 'ansible_collections', parts[0], parts[1]) for shelf in shelves]
            inside = ['plugins', 'modules'] + parts[2:]
            full = 'ansible_collections.%s.%s.%s' % (parts[0], parts[1], '.'.join(inside))
        for folder in folders:
            path = os.path.join(folder, *inside) + '.py'
            if os.path.isfile(path):
                return path, full
        raise Refused('there is no module %s on this host; looked in %s' % (name, ', '.join(folders)))

    def load(self, name):
        path, full = self.find(name)
        found = os.stat(path)
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self.compiled.get(path)
        if known is None or known[0] != mark:
            with open(path, 'rb') as file:
                text = file.read()
            if len(self.compiled) >= COMPILED:
                self.compiled.clear()
            try:
                known = (mark, compile(text, path, 'exec', dont_inherit=True))
            except (SyntaxError, ValueError) as error:
                raise Refused('%s cannot be compiled: %s' % (path, error))
            self.compiled[path] = known
        return known[1], path, full

    def run(self, loaded):
        """Becomes the module. What it raises goes on to the interpreter, as in a process that began with it."""
        code, path, full = loaded
        main = type(sys)('__main__')
        main.__file__ = path
        # How a module finds itself where it starts anew under another Python.
        main._module_fqn, main._modlib_path = full, self.above
        main.__package__ = full.rpartition('.')[0]
        main.__builtins__ = __builtins__
        sys.modules['__main__'] = main
        sys.argv = [path]
        exec(code, main.__dict__)


def as_input(arguments):
    """Makes these bytes what standard input gives. They stand in no file system."""
    memory = os.memfd_create('arguments')
    with os.fdopen(memory, 'wb', closefd=False) as file:
        file.write(json.dumps({'ANSIBLE_MODULE_ARGS': arguments}).encode('utf-8'))
    os.lseek(memory, 0, os.SEEK_SET)
    os.dup2(memory, 0)
    os.close(memory)


def end_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)


def end_by(action):
    """Ends this process as `action` says. What the interpreter would do besides, taking itself apart, takes most of a
    call; what modules count on, their exit handlers and written output, is done."""
    code = 0
    try:
        action()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code & 0xff)


def follow(child, pipes, deadline, most):
    """Collects what the child writes until it ends. Kills its group where it takes too long or says too much."""
    texts = {pipe: bytearray() for pipe in pipes}
    limits = {pipes[0]: most, pipes[1]: COMPLAINTS}
    ended = os.pidfd_open(child)
    poll = select.poll()
    for watched in (ended,) + pipes:
        poll.register(watched, select.POLLIN | select.POLLHUP)
    why = code = None
    while code is None:
        events = poll.poll(max(0, (deadline - time.monotonic()) * 1000))
        ready = [fd for fd, _ in events]
        for pipe in pipes:
            while pipe in ready:
                try:
                    some = os.read(pipe, 65536)
                except BlockingIOError:
                    break
                if not some:
                    poll.unregister(pipe)
                    break
                room = limits[pipe] - len(texts[pipe])
                texts[pipe] += some[:max(0, room)]
                if pipe == pipes[0] and len(some) > room:
                    why = why or 'it wrote more than %d bytes' % most
                    break
        if not events:
            why = why or 'it took too long'
        if why:
            os.killpg(child, signal.SIGKILL)
        if why or ended in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(ended)
    if why:
        raise Refused(why)
    return code, bytes(texts[pipes[0]]), bytes(texts[pipes[1]])


def call(modules, request, own):
    """One call in a process of its own: nothing that a module does to Python reaches the next one."""
    deadline = time.monotonic() + float(request['timeout'])
    loaded = modules.load(request['module'])
    out, err = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        end_with_parent()
        for fd in own:
            os.close(fd)
        os.dup2(out[1], 1)
        os.dup2(err[1], 2)
        for fd in out + err:
            os.close(fd)
        as_input(request['arguments'])
        end_by(lambda: modules.run(loaded))
    try:
        os.setpgid(child, child)
    except OSError:
        pass
    os.close(out[1])
    os.close(err[1])
    try:
        for pipe in (out[0], err[0]):
            os.set_blocking(pipe, False)
        code, stdout, stderr = follow(child, (out[0], err[0]), deadline, int(request['output']))
    finally:
        os.close(out[0])
        os.close(err[0])
    return {'code': code, 'stdout': stdout.decode('utf-8', 'replace'), 'stderr': stderr.decode('utf-8', 'replace')}


def serve():
    # Modules get neither end of the conversation, and nothing that is loaded may speak into it.
    own = (os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    asked, answers = os.fdopen(own[0], 'rb', closefd=False), os.fdopen(own[1], 'wb', closefd=False)

    def answer(what):
        answers.write(json.dumps(what).encode('ascii') + b'\n')
        answers.flush()

    from ansible.release import __version__ as version
    modules = Modules()
    for name in PRELOADED:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    gc.collect()
    gc.freeze()
    answer({'ansible_core': version})
    for line in asked:
        try:
            reply = call(modules, json.loads(line), own)
        except Refused as refused:
            reply = {'refused': str(refused)}
        answer(reply)


def once(name):
    modules = Modules()
    try:
        loaded = modules.load(name)
    except Refused as refused:
        print(json.dumps({'failed': True, 'msg': str(refused)}))
        sys.exit(1)
    as_input(json.loads(sys.stdin.buffer.read()))
    modules.run(loaded)


if __name__ == '__main__':
    # What a module makes has the modes that it would have under any other caller.
    os.umask(0o022)
    if sys.argv[1:2] == ['--once']:
        once(sys.argv[2])
    else:
        serve()
