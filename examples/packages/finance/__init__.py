"""Money: currency conversion and margins."""
