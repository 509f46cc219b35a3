"""The words of the demo's workload: templates by family, and what fills their gaps. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SHOP = "You are the assistant of Birchwheel, an online bicycle shop. Answer in the customer's language."
TRIAGE = "Sort the ticket into exactly one of: delivery, returns, warranty, billing, other. Answer with the label alone."
EXTRACT = "Extract the order from the customer's e-mail. Answer with JSON that follows the given schema."
INTEGRATION = "You help partners who integrate with the Birchwheel order API."

FILLS: Mapping[str, Sequence[str]] = {
    "order": [str(40_000 + 37 * n) for n in range(90)],
    "name": ["Amara", "Jonas", "Mei", "Priya", "Tomasz", "Lucía", "Noah", "Yuki", "Zeynep", "Ingrid", "Kofi", "Marta"],
    "part": [
        "rear derailleur",
        "disc brake set",
        "carbon seatpost",
        "tubeless tyre",
        "e-bike battery",
        "crankset",
        "front fork",
        "child seat",
        "pannier rack",
        "dynamo light",
        "torque wrench",
        "chain guard",
    ],  # fmt: skip
    "colour": ["black", "sand", "forest green", "cobalt", "brick red"],
    "city": ["Lyon", "Utrecht", "Porto", "Graz", "Leeds", "Gdańsk", "Bergen", "Bilbao"],
    "day": ["Monday", "Tuesday", "last Friday", "the 3rd", "the 14th", "yesterday"],
    "count": ["2", "3", "4", "6", "12"],
    "language": ["Python", "TypeScript", "Go", "Rust"],
}
"""What may fill a `{gap}` of a template."""

ORDER_STATUS: Sequence[str] = (
    "Where is my order {order}?",
    "Hi, has order {order} shipped yet? I need the {part} by {day}.",
    "Can you check the delivery date of my order {order} please",
    "tracking for order {order} shows nothing since {day}",
    "Wo ist meine Bestellung {order}? Sie sollte am {day} ankommen.",
    "Wurde meine Bestellung {order} schon verschickt?",
    "Où en est ma commande {order} ? Je l'attends depuis {day}.",
    "¿Dónde está mi pedido {order}? Lo necesito en {city}.",
    "Gdzie jest moje zamówienie {order}? Numer przesyłki nie działa.",
    "注文番号 {order} の配送状況を教えてください。",
    "我的订单 {order} 到哪里了？什么时候能送到？",
    "주문 {order} 배송은 언제 되나요?",
    "أين طلبي رقم {order}؟ لم يصل بعد.",
)

TRIAGE_TICKETS: Sequence[str] = (
    "Ticket: the {part} I ordered on {day} came in {colour} instead of what I picked. Label?",
    "Ticket: I was charged twice for order {order}. Label?",
    "Ticket: my {part} squeaks after {count} weeks, is this covered? Label?",
    "Ticket: the courier left the box with a neighbour in {city}. Label?",
    "Ticket: do you also sell gift cards? Label?",
    "Ticket: ich möchte den {part} zurückgeben, er passt nicht. Label?",
)

ORDER_MAILS: Sequence[str] = (
    "Hello, this is {name} from {city}. Please send {count} x {part} in {colour} to my usual address. Reference {order}. Thanks!",
    "Dear team, we would like to order {count} pieces of the {part} ({colour}). Our purchase number is {order}. Kind regards, {name}",
    "hi!! {count} {part}s pls, {colour} if you have them, else any. order ref {order}, ship to {city} — {name}",
    "Guten Tag, bitte liefern Sie {count} Stück {part} in {colour} nach {city}. Unsere Nummer: {order}. Gruß, {name}",
    "Bonjour, je souhaite commander {count} {part} ({colour}), livraison à {city}, référence {order}. Merci, {name}",
)

COMPLAINTS: Sequence[str] = (
    "This is UNACCEPTABLE. Order {order} is the third {part} that arrived broken. I want a refund and I want it today!",
    "I have been waiting for {count} weeks. Nobody answers. Get me your manager or I will call my lawyer. Order {order}.",
    "You people sold me a {part} that failed on a descent near {city}. I could have died. I demand a refund and an explanation!",
    "Absolutely ridiculous. Charged twice, no reply since {day}, and now your bot sends me in circles. Let me speak to a manager.",
    "Das ist eine Frechheit! Dritte Lieferung kaputt, Bestellung {order}. Ich will mein Geld zurück, sonst sehen wir uns beim Anwalt.",
    "C'est inadmissible ! Le {part} de la commande {order} est cassé. Je veux un remboursement et parler à un responsable.",
)

POLICY: Sequence[str] = (
    "Our customer bought a {part} {count} months ago and it cracked. Does the statutory warranty cover it, and who has to prove the defect?",
    "A customer in {city} withdrew from the purchase after {count} weeks, but the {part} was used. May we deduct for wear under the return policy?",
    "Under our warranty policy, is a {part} that was fitted by a third-party workshop still covered? Cite the clause you rely on.",
    "Explain which consumer rights apply if we cancel order {order} after payment because the price of the {part} was a typo.",
    "Darf ein Kunde einen {part} nach {count} Wochen noch widerrufen, wenn die Belehrung fehlte? Bitte mit Begründung nach unserer Rückgaberichtlinie.",
)

CODE_EASY: Sequence[str] = (
    "How do I call GET /orders/{order} of the order API from {language}?",
    "What does status code 409 of the order API mean?",
    "```python\nrequests.post(url, data=order)\n```\nThe API answers 415. What is wrong with this call?",
)

CODE_HARD: Sequence[str] = (
    "Our {language} webhook consumer processes each order event twice after a redeploy. Design an idempotent consumer with exactly-once effects "
    "over PostgreSQL, show the schema and the code, prove that no event is lost if the process dies between any two statements, and compare it "
    "with an outbox.\n```sql\ncreate table events(id bigserial primary key, order_id bigint, payload jsonb, seen_at timestamptz);\n```",
    "This {language} function allocates stock across {count} warehouses but deadlocks under load. Find the cause step by step, rewrite it so that the "
    "lock order is total, and argue why it terminates.\n```python\ndef allocate(order, warehouses):\n    for item in order.items:\n"
    "        with item.lock:\n            for w in warehouses:\n                with w.lock:\n                    if w.stock[item.sku] >= item.count:\n"
    "                        w.stock[item.sku] -= item.count\n                        break\n```",
)

SMALL_TALK: Sequence[str] = (
    "Thanks, that helped!",
    "hello",
    "Do you also have a shop in {city}?",
    "Translate to Spanish: your {part} is ready to be picked up.",
    "What are your opening hours on {day}?",
    "Merci beaucoup, bonne journée !",
    "ありがとうございます。",
)

HARD_OPEN: Sequence[str] = (
    "We run {count} delivery vans from {city}. Each holds 30 bicycles, a stop takes 12 minutes, and 140 orders with time windows come in every day. "
    "First derive a lower bound on the number of vans, then formulate the routing as an integer programme, explain why its relaxation is weak, and "
    "propose a heuristic with a worst-case argument. State every assumption.",
    "Compare three pricing strategies for the {part} under uncertain demand. Build the model step by step, prove which one dominates when demand is "
    "convex in price, analyse the trade-off against stock-outs, and design an experiment that could refute your conclusion.",
)

THREAD_TURN: Sequence[str] = (
    "{name} wrote on {day}: the {part} of order {order} arrived, but the {colour} paint was scratched along the whole tube.",
    "Birchwheel replied: we are sorry, {name}. Could you send a photo of the {part} and the label of the parcel?",
    "{name} wrote: attached. The workshop in {city} says that the mount is bent as well and would take {count} days to fix it.",
    "Birchwheel replied: we offer a discount or a new {part}; the courier would collect the old one on {day}.",
    "{name} wrote: I would rather keep it if the warranty stays valid. Please confirm in writing, and note that order {order} was a gift.",
)

SUMMARISE = "Summarise this case for the next shift in five sentences: what happened, what we promised, what is open.\n\n"

ORDER_SCHEMA: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "reference": {"type": "string"},
        "product": {"type": "string"},
        "quantity": {"type": "integer"},
        "colour": {"type": "string"},
    },
    "required": ["reference", "product", "quantity"],
    "additionalProperties": False,
}
"""What the extraction task's answers must look like."""
