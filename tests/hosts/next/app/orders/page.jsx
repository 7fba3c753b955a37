export const metadata = { title: "Orders" };

export default function Orders() {
  return <h1>Open orders</h1>;
}
