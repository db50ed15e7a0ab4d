// The example's order system: a file of orders whose dates are counted from today, so that answers stay sensible.
import { readFile } from 'node:fs/promises';

const DAYS_TO_RETURN = 30;
const refunded = new Set();

/** Looks up an order. `{ found: false }` when there is none with that number. */
export async function findOrder({ orderNumber }, { now }) {
  const orders = JSON.parse(await readFile(new URL('./orders.json', import.meta.url), 'utf8'));
  const order = Object.hasOwn(orders, orderNumber) ? orders[orderNumber] : undefined;
  if (!order) return { found: false };
  const { item, price, arrivesInDays, deliveredDaysAgo } = order;
  return {
    found: true,
    item,
    price,
    status: refunded.has(orderNumber) ? 'refunded' : order.status,
    arrives: arrivesInDays === undefined ? undefined : dayFrom(now, arrivesInDays),
    delivered: deliveredDaysAgo === undefined ? undefined : dayFrom(now, -deliveredDaysAgo),
    refundable: order.status === 'delivered' && deliveredDaysAgo <= DAYS_TO_RETURN,
  };
}

/** Requests a refund; a second request for the same order changes nothing. */
export async function requestRefund({ orderNumber }) {
  refunded.add(orderNumber);
  return { requested: true };
}

/** ISO date of a day counted from now; parcels do not move on Sundays. */
function dayFrom(now, days) {
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days);
  if (date.getDay() === 0) date.setDate(date.getDate() + 1);
  const two = (number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
