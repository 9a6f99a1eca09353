"""What a stack costs on AWS in a month, at list prices, from the resources its program declares."""
