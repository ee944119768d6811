# A thread's id stands for its process.
python3 -c '
import os, threading
def run():
    print(threading.get_native_id(), os.getpid(), flush=True)
    threading.Event().wait()
threading.Thread(target=run).start()' >ids &
trap 'kill $!' EXIT
until [ -s ids ]; do sleep 0.05; done
read -r thread pid <ids
"$MAPSCOPE" maps $thread 2>&1 | sed "s/$pid/PID/"
echo "[${PIPESTATUS[0]}]"
