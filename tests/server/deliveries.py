"""A download from its offer to its end."""


def sent(link, client, rows=None):
    """What a client was offered, and has now."""
    delivery = link.offer(client, rows)
    link.delivered(client, delivery, rows)
    return delivery
