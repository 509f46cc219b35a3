"""The demo: an embedded spec, a generated workload, and what came of sending the one through the other.

fleet.yaml     the spec of a bicycle shop's support desk: six scripted models, two providers, five tasks
workload.yaml  the words of the workload
workload.py    words → prompts, the same ones for the same seed
drive.py       starts the gateway, sends the prompts over HTTP, asks it to explain
figures.py     what was sent and what came back → shares, costs, quality, and what other policies would have given
show.py        figures → tables for people
"""
