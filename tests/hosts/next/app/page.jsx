export default function Shop() {
  return <h1>Tea, weighed by hand</h1>;
}
